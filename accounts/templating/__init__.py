"""What templates can call: URLs, static files, and dates in a person's language."""
