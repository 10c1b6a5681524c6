"""The keys of a person: from the secret that they type to their keyring.

key_slots   rows of key slots: create, open, replace; the derivation queue
admission   checks of a data key against what is written in its owner's rows
keyrings    keyrings with former data keys while rotations are unfinished
former_keys data keys of former epochs, in the database and in files
slot_list   the sealed list of a vault's valid key slots
vault_state the sealed state of a vault: which epochs are of format 2, and which are finished
opened_columns  columns of vaults that every request needs, opened once
key_pairs   key pairs of vaults, for sealing to a person whose vault is locked
sealed_preferences  the copy of a person's preferences that decides
browser_keys keys with which a locked browser proves that a draft comes from it
row_shapes  rows that no program of ours can have written
"""
