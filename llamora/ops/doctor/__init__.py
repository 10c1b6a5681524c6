"""The checks of `manage.py doctor`; each yields results (ok, warn, bad) and, where one is not ok, what to do.

folder.py     the data folder: modes, secrets, who holds it
machine.py    clock, disk, swap, core dumps
database.py   pragmas, pages, fence, formats and epochs of every sealed column
household.py  vaults, key slots, rotations, sessions, replies that no job writes any more
inference.py  the model server and the embedder
backups.py    age of the newest, and its disk

`check_result.py` has the result of a check and what runs one.
"""
