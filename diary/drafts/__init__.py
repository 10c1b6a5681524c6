"""Drafts: texts saved while typing, before they are saved as entries.

services          saving and deleting drafts
late_drafts       drafts that arrive while their owner's diary is locked
late_draft_rows   their rows: sealing, checking, opening them
unchecked_drafts  those of them that could not be checked, for their owner to see and delete
views             the endpoint to which the composer posts drafts, and the page of unchecked ones

Drafts of notes are in `diary.notes.drafts`; those that arrive late are late drafts like the others.
"""
