"""The keys of a person: from the secret that they type to their keyring.

key_slots   rows of key slots: create, open, replace; the derivation queue
admission   checks of a data key against what is written in its owner's rows
keyrings    keyrings with the former data key while a rotation is unfinished
key_pairs   key pairs of vaults, for sealing to a person whose vault is locked
row_shapes  rows that no program of ours can have written
"""
