"""The measurements of `manage.py bench`, each group in a module of its own.

Every figure is a median (or p95) in a household made for the purpose in a temporary folder, served by a
real `up` as a subprocess and asked over real sockets; client and server share the machine's cores.
Where it helps to read a figure, a plain baseline of the same run stands beside it as a ratio.

    figures.py    a figure, a table of them, medians
    household.py  the subprocess and a browser-like client for it
    sealing.py    crypto: seal, open, derive
    pages.py      sign-in, days, saves, the cold page, a large archive
    full_day.py   a day of many entries and replies, and a month of the calendar
    imports.py    import_diary
    rotation.py   a new data key for a large archive; rotation_process.py is the process that is timed
    search.py     unlock to found, queries, recall, memory, at four sizes
    streams.py    first token and tokens a second, whole stack against the model server alone
"""
