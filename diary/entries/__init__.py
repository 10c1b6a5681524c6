"""Entries: the texts that a person wrote on a day.

forms             the posted fields of composers and edit forms
text_validation   validation of texts
queries           entries, drafts and versions of a person
services          saving, editing, moving, deleting
presenters        entries and the composer for templates
day_views         the day page
views             views of one entry
"""
