"""Facts to and from files.

exports    facts in one file, as JSON, CSV, Markdown or text
harmonia   parser of the JSON that Harmonia exports, and of ours
imports    what was read, as proposals
fact_rows  facts of a diary's export, with their history
"""
