"""Traces (people, places and themes, as words on entries), and facts, which are sentences to remember.

models, names, signals      the tables, valid names, the signal of a changed name
queries, matcher, access    queries; finding names in a text; a person's rows by id
accepted                    the traces on entries, with their MACs checked
tagging                     traces on an entry: add, remove, preview
proposals                   suggested traces for an entry
editing                     rename, merge, delete, undo
index, detail, graph        the list of all traces, the page of a trace, the graph of shared entries
statistics                  frequency over time, and counts of shared entries
summaries                   summaries of traces by the model
facts                       sentences to remember: proposals, pages, import and export
importers                   import of traces with the entries of an export
receivers                   signals of the apps below, and hooks into the diary
"""
