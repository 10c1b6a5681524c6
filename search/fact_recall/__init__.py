"""Facts that bear on an entry or a question, from the open index of their owner.

ranking   which facts bear on a text, the nearest first
services  those that may be read for a reply or an answer
"""
