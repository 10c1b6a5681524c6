"""Drafts: texts saved while typing, before they are saved as entries.

services      saving and deleting drafts
late_drafts   drafts that arrive while their owner's diary is locked
views         the endpoint to which the composer posts drafts
"""
