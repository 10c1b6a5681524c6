"""Export of a diary in open formats, and import of such exports and of JSON lines.

export_format     the files of an export; the reference of the format
export_targets    the folder or zip that is written
exports           reads a diary and writes it to a target
programs          exports that programs fetch
downloads         an export that is streamed while a thread writes it
views             the export page

line_reader       parses JSON lines
line_imports      imports JSON lines
json_reader       reads the JSON of an export value by value
export_reader     opens an export and returns its contents
row_parser        parses the rows of an export into columns
entry_imports     imports the entries of an export with their versions, replies and other values
diary_imports     imports a whole export
"""
