"""Keys of a person: from a secret to the keyring.

key_slots   rows of key slots: create, open, replace; the queue of derivations
keyrings    keyrings with the former key while a rotation is unfinished
key_pairs   key pairs of vaults, for sealing to a person who is locked
"""
