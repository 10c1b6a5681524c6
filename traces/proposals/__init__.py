"""Suggested traces: names that the model proposes for an entry, names in its text, and habitual names.

services  start and stop proposals, dismiss a proposal
tasks     the generation of proposals for one entry
parser    parses the names in the model's answer
queries   the names that are suggested for an entry
"""
