"""Preparation of search results for the page: groups of hits, and filters that narrow them. Pure.

grouping  hits grouped by day, entries before replies, each text once
filters   filters to click that would narrow the results
"""
