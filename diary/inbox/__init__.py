"""The Inbox: texts from programs and imports, which wait until their owner accepts them as entries.

inbox_text          the content of an item: its text, its source, and its sender
services            adding, accepting and deleting items
boxes               texts that arrive while their owner's diary is locked
box_rows            rows of boxes: sealing, checking and opening them
queries             the waiting items and their number
presenters          items and boxes for the page
views               the page
context_processors  the number of waiting texts, for the navigation

Nothing in the Inbox reaches a model or the search.
"""
