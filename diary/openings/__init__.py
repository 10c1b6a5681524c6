"""Openings: the start of a day, written by the model from the days before it.

services    start, dismiss
tasks       the generation of one opening
section     its view and its HTML
presenters  openings for pages and tabs
purge       deletes openings that may quote entries being deleted
"""
