"""Workspaces: a person's notes are written as files, and such files are imported as notes.

files               notes written as files, and files read as notes, from a folder or a zip
stamps              signed lines in a file, by which this diary recognises a note that it wrote
imports             the import of a workspace, after a preview
note_rows           notes in the JSON of an export
pending_workspaces  uploaded workspaces, until their owner confirms the preview
presenters, views   the import page
"""
