"""Export of a diary in open formats, and import of such exports and of JSON lines.

export_format     what stands in the files of an export; the reference of the format
export_targets    the folder or zip that is written
exports           reads a diary and writes it to a target
downloads         an export as a zip that is streamed to the browser
views             the export page

line_reader       parses JSON lines
line_imports      imports them
restore_json      reads the JSON of an export value by value
restore_files     opens an export, and lists what it holds
restore_rows      parses its rows into columns
restore_entries   imports its entries with what belongs to them
restore           imports a whole export
"""
