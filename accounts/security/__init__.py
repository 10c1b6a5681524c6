"""Changes of keys and account by a person, after re-authentication.

views            forms for new secrets, key rotation, reset and deletion
services         new password, new recovery code, rotation, reset after a compromise
deletion         deletion and deactivation of accounts
data_inventory   counts of a person's rows, for the page before a deletion
"""
