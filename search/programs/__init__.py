"""Search for programs: in the index that the owner's browser opened, limited to what the token may read.

hidden_texts    the texts that are hidden from a program, since they are not its owner's own
decrypted_rows  a cache of decrypted rows
services        searching, counting and rebuilding for a program
"""
