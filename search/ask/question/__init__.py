"""Parsers of a question: its type, and the names in it. Pure.

question_type    whether it asks for the latest time, the first, or how often
names            the names in it
irregular_verbs  English verbs with an irregular past
"""
