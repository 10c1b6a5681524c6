"""Rendering of texts: Markdown to HTML, excerpts and emoji. Pure."""
