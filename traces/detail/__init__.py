"""The page of one trace, or of several traces together.

presenters   counts, frequency and related traces
heatmap      a year of days in five shades
entries      the entries, page by page
views        the page and its fragments
"""
