"""Drafts: texts saved while typing, before they are saved as entries.

services          saving and deleting drafts
late_drafts       drafts that arrive while their owner's diary is locked
late_draft_rows   rows of late drafts: sealing, checking and opening them
unchecked_drafts  late drafts that could not be verified; their owner can read and delete them
views             the endpoint to which the composer posts drafts, and the page of unchecked drafts

Drafts of notes are in `diary.notes.drafts`; while the diary is locked they are late drafts too.
"""
