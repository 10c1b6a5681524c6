"""Look-backs: what a week or a month was about, written by the model only when its owner asks.

periods     a week or a month, and those beside it; pure
day_texts   what is read of each day: its recap, or its entries, and the facts from them; only trusted ones
section     the section of a look-back: its template data, and its HTML for pages and tabs
errors      why none can be written
tasks       the generation of a look-back
services    start, delete; those whose entries are deleted for good go with them
presenters  look-backs from their jobs or rows, and the list of all
views       a week, a month, the list, and what is done there
"""
