"""Preparation of a ranking for the page. Pure.

grouping  hits grouped by day, entries before replies, each text once
filters   filters to click that would narrow the results
"""
