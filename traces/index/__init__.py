"""The list of all traces."""
