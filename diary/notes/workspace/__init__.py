"""Workspaces: the notes of a person as files, and files as their notes.

files      notes written as files, and files read as notes, from a folder or a zip
stamps     the lines by which a note that was written here is known again
imports    the import of a workspace, after a preview
note_rows  notes in the JSON of an export
pending_workspaces
           what was chosen on the import page, until it is confirmed
presenters, views
           the import page
"""
