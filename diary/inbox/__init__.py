"""The Inbox: texts from programs and imports, which wait until their owner accepts them as entries.

inbox_text          what an item says: its text, where it is from, and who sent it
services            add, accept and delete items
boxes               texts that arrive while their owner's diary is locked
box_rows            their rows: sealing, checking, opening them
queries             what waits, and how much
views               the page
context_processors  the count in the rail

Nothing in the Inbox reaches a model or the search.
"""
