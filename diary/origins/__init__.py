"""Origins: where entries come from, how pages show that, and how owners claim imported entries as their own.

provenance      the sealed source of an entry, and what its owner said of it
labels          the words beside an entry
services        "This is mine" for an entry or a whole import, and its undo
imports         the imports of a person
claim_threads   claims of large imports, in threads
presenters      imports for their pages
views           the buttons, and the pages of imports
"""
