"""Search on behalf of programs that use the API, limited to the texts that their tokens may read.

A search uses the index that the owner's browser opened.

hidden_texts    the texts that are hidden from a program, since they are not its owner's own
decrypted_rows  a cache of decrypted rows
services        searching, counting and rebuilding for a program
"""
