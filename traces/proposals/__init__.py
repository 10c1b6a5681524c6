"""Suggested traces: names that the model proposes for an entry, and those that its text or habit suggests.

services  start and stop proposals, dismiss one
tasks     the generation of proposals for one entry
parser    names out of the answer of the model
queries   the names that are suggested for an entry
"""
