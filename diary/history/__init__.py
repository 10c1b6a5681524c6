"""Earlier versions of entries, and deleted entries.

services      storing, restoring and purging versions
presenters    versions and deleted entries for templates
views         the history of an entry, and the bin
"""
