"""Backups of the household: created while it is served, verified, retained for a time, and restored.

create.py         a backup from beginning to end
snapshot.py       a consistent copy of a database in use, without its session rows
integrity.py      checks of a database without anybody's key
verify_secret.py  checks of a database with a person's secret
archive.py        the file format
retention.py      removal of old backups and of what killed work left
restore.py        a backup put in the place of the household's database

`llamora.ops.background` takes one a day; names and dates of the files are in `llamora.database.backup_files`.
"""
