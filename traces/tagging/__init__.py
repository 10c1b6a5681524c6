"""Traces on an entry: add, remove, suggestions, preview."""
