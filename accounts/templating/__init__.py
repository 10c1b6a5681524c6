"""Functions and filters of templates: URLs, static files, and dates in a person's language."""
