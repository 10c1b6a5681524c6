"""The machines to which a person's texts may be sent, each by its name, and their own API keys there.

services   the consents and keys, sealed in the vault
views      the page *Models on other machines*
"""
