"""Rendering of texts: Markdown to HTML, excerpts and emoji.

page_texts     the texts of a page, within a budget that they share
html_cache     the HTML of texts of unlocked people, in memory
markdown       one text as HTML, with bounded work. Pure
passage_highlights  a passage highlighted in HTML. Pure
excerpts       the first lines of a text, and the passage around a span. Pure
emoji          shortcodes. Pure
"""
