"""Facts to and from files.

exports    facts in one file, as JSON, CSV, Markdown or text
harmonia   parser of the JSON exports of Harmonia and of Llamora
imports    the parsed memories as proposals
fact_rows  facts in the export of a diary, with their history
"""
