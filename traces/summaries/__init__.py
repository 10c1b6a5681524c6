"""Summaries of traces: a few sentences from a trace's entries, marked as stale once an entry changes.

services    start, find and delete a summary
tasks       the generation of one summary
presenters  the summary of a trace for its page
"""
