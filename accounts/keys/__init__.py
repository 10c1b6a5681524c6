"""The keys of a person: from the secret that they type to their keyring.

key_slots   rows of key slots: create, open, replace; the derivation queue
key_checks  checks that a data key is the one that its owner's rows are sealed under
keyrings    keyrings with former data keys while rotations are unfinished
former_keys data keys of former epochs, in the database and in files
token_slots rows of access tokens, which rotations renew; confirmations of them
slot_list   the sealed list of a vault's valid key slots
vault_state the sealed state of a vault: which epochs are of format 2, and which are finished
opened_columns  cache of decrypted vault columns that every request needs
key_pairs   key pairs of vaults, for sealing to a person whose vault is locked
sealed_preferences  the sealed copy of security-relevant preferences, which overrides `Person`
browser_keys keys of browsers, with which drafts sent from locked pages are authenticated
row_shapes  checks of types and lengths, which find damaged and manipulated rows
"""
