"""The household's backups: taken while it runs, checked, kept for a time, and put back.

copying.py     a consistent copy of a database in use, then without its session rows
structure.py   what can be checked of a database without a key
archive.py     the file format
taking.py      a backup from beginning to end
retention.py   which backups go
daily.py       one a day, while `up` serves
opening.py     checks with a person's secret
restoring.py   a backup put in the place of the household's database
"""
