"""Sealing to a person whose vault is locked.

vault_keys    the key pair of a vault: its public key seals, its private key opens
browser_keys  proof that the public key is the owner's, and that a draft comes from a browser of theirs
"""
