"""Openings: texts at the top of a day's page, which the language model writes from earlier days.

services    starting and dismissing openings
tasks       the generation of one opening
section     template data and HTML of one opening
presenters  openings for pages and tabs
purge       deletion of openings that may quote entries being deleted
"""
