"""Facts and notes that bear on an entry or a question, from the open index of their owner.

ranking   which facts or notes bear on a text, the nearest first
services  the facts that may be read for a reply or an answer
notes     the reference notes that may be read for a reply or an answer
"""
