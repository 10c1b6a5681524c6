"""Exports that programs fetch with an access token.

exports       an export in one of three formats, written to a stream
file_formats  the formats of exported files
rules         what a program exports that reads only its owner's words
"""
