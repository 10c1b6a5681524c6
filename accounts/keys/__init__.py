"""The keys of a person, from the typed secret to the keyring.

key_slots   rows of key slots: create, open, replace; the derivation queue
key_checks  check that a data key is the one that sealed its owner's rows
keyrings    build keyrings, with former data keys while rotations are unfinished
former_keys data keys of former epochs, in the database and in files
token_slots rows of access tokens: renewal in rotations, confirmation by their owner
slot_list   the sealed list of a vault's valid key slots
vault_state the sealed state of a vault: its epochs in use, and whether its recovery code is unconfirmed
opened_columns  cache of decrypted vault columns that every request needs
key_pairs   key pairs of vaults, for sealing to a person whose vault is locked
sealed_preferences  the sealed copy of security-relevant preferences, which overrides `Person`
browser_keys secret keys of browsers, which authenticate drafts from locked pages
row_shapes  checks of types and lengths, which find damaged and manipulated rows
"""
