"""Encryption to a person whose vault is locked.

vault_keys    the key pair of a vault: its public key seals, its private key opens
browser_keys  MACs that prove the owner of the public key, and the browser that a draft comes from
"""
