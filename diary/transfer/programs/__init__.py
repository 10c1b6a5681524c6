"""Export for a program.

exports  an export in one of three formats, written to a stream
rules    what a program exports that reads only its owner's words
"""
