"""Pages of facts.

list_cache       the facts of an unlocked person in memory, in the order of the list
list_preloading  threads that decrypt long lists in advance, after an unlock
headings         the subject of a fact, as heading of a list
list_presenters  template data of the list
presenters       template data of a fact with its history, and of the suggestions under an entry
messages         sentences that people read
list_views       the list, and the form that adds a fact
views            one fact and its forms
claim_views      "This is mine" for all facts from files and programs
settings_views   settings, export and import
"""
