"""Entries: what a person wrote on a day.

forms             what composers and edit forms post
text_validation   which texts can be stored
queries           entries, drafts and versions of a person
services          saving, editing, moving, deleting
presenters        entries and the composer for templates
day_views         the day page
views             views of one entry
"""
