"""Queries: parsing the search box, folding texts for comparison, and marking matches in snippets.

parser         the query language
days           days in plain words, in a filter or a question
folding        folding of case, accents and widths, and splitting of every script into words
stop_words     frequent words without much meaning
subject_words  words that can tell what a text is about
snippets       the passage of a text around a match
trace_filter   the entries with the traces that a query names
result_tokens  opaque tokens of recent queries, so that an opened result can highlight its matches
"""
