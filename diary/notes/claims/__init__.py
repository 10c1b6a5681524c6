"""This is mine: what a person says of notes of imports and programs, one by one or of a whole import.

groups      notes that came together, as a page shows them
services    making notes their owner's own, and undoing it for thirty days
presenters, views
            the page of notes that came together
"""
