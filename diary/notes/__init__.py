"""Notes: the files of a workspace (SOUL.md, MEMORY.md, HEARTBEAT.md, knowledge, skills), as sealed rows.

kinds          the purposes of notes, by their paths; valid paths and sizes
note_metadata  the values of a note that a list shows
errors         refusals, with a sentence for each
queries        notes of a person
services       saving, renaming, deleting, restoring
drafts         drafts of notes
recall         notes for the prompt of a reply or an answer
persona        the persona note, for the system message
skills         skills, which are reply styles
kind_descriptions     what the pages say about each kind
forms          parsers of posted fields
presenters     notes for their pages
claims         "This is mine", for one note or for a whole import
workspace      notes as files, their export and import
front_matter   the lines between two `---` at the top of a file
"""
