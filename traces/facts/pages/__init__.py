"""Pages of facts.

list_cache    the facts of an unlocked person in memory, in the order of their list
list_opening  threads that open such lists after an unlock, if they are long
headings      what the facts of a list stand under: whom or what they are of
presenters    template data of the list, of a fact with its history, of the suggestions under an entry
messages      sentences that people read
list_views    the list, and a fact that its owner enters
views         one fact and what can be done with it
"""
