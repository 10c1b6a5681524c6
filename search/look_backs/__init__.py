"""Look-backs: what a week or a month was about, written by the model only when its owner asks.

periods     a week or a month, and its neighbours; pure
day_texts   the trusted texts of each day: its recap or its entries, and the facts from them
section     the section of a look-back: its template data, and its HTML for pages and tabs
errors      reasons why no look-back can be written
tasks       the generation of a look-back
services    starting and deleting look-backs, also when an entry is deleted for good
presenters  look-backs from their jobs or rows, and the list of all
views       the pages of a week, of a month, and of the list
"""
