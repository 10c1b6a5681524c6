"""Facts to and from files.

exports    facts in one file, as JSON, CSV, Markdown or text
harmonia   reading of the JSON that Harmonia exports, and of our own
imports    what was read, as proposals
own_facts  facts of a diary's export, with their history
"""
