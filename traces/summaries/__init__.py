"""Summaries of traces: a few sentences from a trace's entries, marked as stale after a change of an entry.

services    starting, finding and deleting a summary
tasks       the generation of one summary
presenters  the summary of a trace for its page
"""
