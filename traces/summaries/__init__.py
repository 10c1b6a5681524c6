"""Summaries of traces: a few sentences from the entries of a trace, marked as stale once these have changed.

services    start, find and delete a summary
tasks       the generation of one summary
presenters  the summary of a trace for its page
"""
