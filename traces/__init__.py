"""Traces: labels on entries, which make return easy.

models, names, signals      the tables, valid names, the signal of a changed name
queries, matcher, access    reading them; finding names in a text; the rows a request may reach
tagging                     traces on an entry: add, remove, preview
proposals                   traces that the model suggests for an entry
editing                     rename, merge, delete, undo
index, detail, graph        the list of all traces, the page of one, the picture of how they are related
statistics, markup          figures and the HTML of drawings
summaries                   what the model says of a trace
restore                     import of traces with the entries of an export
receivers                   signals of the apps below, and hooks into the diary
"""
