"""Search for a program: in the index that its owner's browser opened, limited to what its token may read.

hidden_texts    the texts that are hidden from a program, since they are not its owner's own
decrypted_rows  a cache of decrypted rows
services        searching, counting and rebuilding for a program
"""
