"""Export of a diary in open formats, and import of such exports and of JSON lines.

export_format     the files of an export; the reference of the format
export_targets    the folder or zip that is written
exports           reads a diary and writes it to a target
downloads         an export as a zip that is streamed to the browser
views             the export page

line_reader       parses JSON lines
line_imports      imports JSON lines
restore_json      reads the JSON of an export value by value
restore_files     opens an export and returns its contents
restore_rows      parses the rows of an export into columns
restore_entries   imports the entries of an export with their versions, replies and other values
restore           imports a whole export
"""
