"""What happens to traces.

keeping.py    keep one on an entry, remove it, read it always
naming.py     rename, merge, delete everywhere, and undo each
"""
