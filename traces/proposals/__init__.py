"""Suggested traces for an entry: names from the model, names in the entry's text, and often used traces.

services    starting and stopping proposals, dismissing a name
tasks       the generation of proposals for one entry
parser      parser of the names in the model's answer
text_names  names in a text, without a model
queries     the names that are suggested for an entry
"""
