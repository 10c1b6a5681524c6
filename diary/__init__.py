"""The diary: days, entries, replies, openings and recaps.

days, converters, errors   dates, their URLs, and the errors of the diary
models                     the tables
entries, drafts, history   writing: entries, their drafts, their versions and the bin
calendar                   months and years with entries, and "on this day"
replies, openings, recaps  texts written by the model, each by a generation task
generation                 shared by replies, openings and recaps: prompts, budgets, jobs
live                       the socket on which texts stream while they are generated
rendering                  Markdown, excerpts
transfer                   export and import
messages                   the sentences that people read
hooks                      extension points for traces and search
"""
