"""Origins: where entries come from, as their owner sees it.

provenance   the sealed value that says it
labels       the words beside an entry
services       "This is mine", for an entry or a whole import, and its undo
imports        the imports of a person
claim_threads  large imports, in threads
views          the buttons, and the pages of imports
"""
