"""The database backend: Django's for SQLite, but a damaged value is read as a value of its column's type.

SQLite stores any value in any column, so one flipped bit makes text of bytes, or something that is no date of
a date, and Django and Python raise for such a value while they read its row, with all others of the query.

    base.py      the backend
    reading.py   a function for each type of column, which returns a value of that type for anything stored
"""
