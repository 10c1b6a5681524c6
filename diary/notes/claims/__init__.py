"""Claims of notes ("This is mine"): a person says that notes of imports or programs are their own.

groups             the notes of one import, or of all programs
services           making notes their owner's own, and undoing it for thirty days
presenters, views  the page of such a group
"""
