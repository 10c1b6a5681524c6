"""Backups of the household: created while the server runs, verified, deleted after a time, and restored.

create.py         creates a backup
snapshot.py       a consistent copy of a database in use, without its session rows
integrity.py      checks of a database without any key
verify_secret.py  checks of a database with a person's secret
archive.py        the file format
target_disk.py    the disk that a backup is written to
retention.py      deletion of old backups and of files left by interrupted work
restore.py        replaces the household's database with a backup

`llamora.ops.background` creates one a day; `llamora.database.backup_files` defines the file names.
"""
