"""Remote hosts: machines that a person allows their texts to be sent to, and their API keys for these.

services   the consents and keys, sealed in the vault
views      the page *Models on other machines*
"""
