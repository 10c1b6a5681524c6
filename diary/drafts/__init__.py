"""Drafts: texts saved while typing, before they are saved as entries.

services      saving and deleting drafts
late_drafts   drafts that arrive while their owner is locked
views         the endpoint that the composer posts to
"""
