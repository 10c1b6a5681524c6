"""What happens to traces.

keeping.py    keep one on an entry, remove it, read it always
naming.py     rename, merge, delete everywhere, and undo each
returning.py  take those of an export back with its entries
"""
