"""Preparation of a ranking for the page; pure.

grouping  the hits of a day together, own words before replies, each text once
filters   filters that would narrow the results, to click
"""
