"""Queries: what was typed, parsed; texts, folded for comparison; matches, marked in a snippet.

parser         the query language
folding        case, accents and widths folded, every script cut into words
snippets       the passage of a text around a match
trace_filter   entries that bear the traces a query names
result_tokens  opaque names for recent queries, so that an opened result can mark its matches
"""
