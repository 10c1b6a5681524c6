"""Export for a program.

exports  an export in one of three formats, written to a stream
texts    the texts of all entries in one file, in four formats
rules    what a program exports that reads only its owner's words
"""
