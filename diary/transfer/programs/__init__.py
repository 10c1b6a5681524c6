"""Exports that programs fetch with an access token.

exports       an export in one of three formats, written to a stream
file_formats  the formats of exported files
rules         which rows are exported to a program that may read only its owner's words
"""
