"""The diary: days, entries, replies, openings and recaps.

days, converters, errors   dates, their URLs, and refusals
models                     the tables
entries, drafts, history   writing: entries, their drafts, their versions and the bin
calendar                   finding days again
replies, openings, recaps  what the model writes, each as a generation task
generation                 what these share: prompts, budgets, jobs
live                       the socket on which generations stream
rendering                  Markdown, excerpts
transfer                   export and import
hooks                      how traces and search extend all of this
"""
