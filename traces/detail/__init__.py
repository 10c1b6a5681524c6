"""The page of one trace, or of several traces together.

presenters   counts, frequency and related traces
heatmap      a year of days in five shades
entries      the entries, in pages
views        the page and its fragments
"""
