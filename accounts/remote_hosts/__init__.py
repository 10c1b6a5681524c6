"""Remote hosts: machines to which a person lets their texts be sent, and their own API keys there.

services   the consents and keys, sealed in the vault
views      the page *Models on other machines*
"""
