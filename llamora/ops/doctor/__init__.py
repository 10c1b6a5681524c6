"""The checks of `manage.py doctor`. Each yields results of the level "ok", "warn" or "bad".

A result of the last two levels has instructions to follow.

folder.py     the data folder: modes, secrets, whether a server runs
machine.py    clock, disk, swap, core dumps, memory, packages
database.py   pragmas, pages, fence triggers, formats and epochs of every sealed column
proxy.py      settings for a reverse proxy
household.py  vaults, key slots, rotations, sessions, and replies without a job
inference.py  the model server and the embedder
backups.py    number and age of backups, and their disk

`check_result.py` has the result of a check and the function that runs a check.
"""
