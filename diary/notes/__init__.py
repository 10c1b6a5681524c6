"""Notes: the files of a workspace (SOUL.md, MEMORY.md, HEARTBEAT.md, knowledge, skills), as sealed rows.

kinds         what a note is for, by its path, and which paths there can be
note_metadata     what is read of a note for a list
errors        refusals, with a sentence for each
queries       notes of a person
services     saving, renaming, deleting, restoring
drafts        drafts of notes
persona       the persona, for the system turn
skills        skills, for reply styles
kind_words    what the pages say about each kind
forms         what the pages send
presenters    notes as the pages show them
claims       "This is mine", for one note or for all of an import
workspace     notes as files, their export and import
front_matter  the lines between two `---` at the top of a file
"""
