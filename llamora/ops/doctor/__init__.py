"""What `doctor` looks at; each line a verdict (ok, warn, bad) and, where it is not ok, what to do.

folder.py     the data folder: modes, secrets, who holds it
machine.py    clock, disk, swap, core dumps
database.py   pragmas, pages, fence, formats and epochs of every sealed column
household.py  vaults, ways in, rotations, sessions, replies that nobody writes any more
model.py      the model server and the embedder
backups.py    how old the newest is, and where it lies
"""
