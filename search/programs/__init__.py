"""Search for a program: over the index that its owner's browser has open, of what its token may read.

hidden_texts  the texts that a program does not find, since they are not its owner's own
opened_rows   rows that opened before, which need not be opened again
services      one search of a program
"""
