"""Remote hosts: machines to which a person allows their texts to be sent, and the person's API keys.

services   the consents and keys, sealed in the vault
views      the page *Models on other machines*
"""
