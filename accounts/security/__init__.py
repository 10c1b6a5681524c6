"""Changes to keys and accounts, after the person has typed their password again.

views            forms for new secrets, key rotation, reset and deletion
services         new password or recovery code, rotation, reset after a compromise
deletion         deletion and deactivation of accounts
data_inventory   counts of a person's rows, for the page before a deletion
"""
