"""Django's SQLite backend, changed to read a damaged value as a placeholder instead of raising an error.

SQLite stores any value in any column. One flipped bit can turn bytes into text, or make a date invalid; then
Django and Python raise an error, and all other rows of the query cannot be read either.

    base.py      the backend
    reading.py   converters, which return a value of the column's type for any stored value
    schema_guard.py  removes planted triggers before a transaction writes
"""
