"""The measurements of `manage.py bench`, one module for each group.

Every figure is a median (or p95). It is measured in a new household in a temporary folder, with the real
command `up` as a subprocess, over real sockets; client and server share the machine's cores. Some figures
have a plain baseline, measured in the same run, and the ratio to it.

    figures.py    a figure, a table of figures, medians
    household.py  the subprocess and a browser-like client for it
    sealing.py    crypto: seal, open, derive
    pages.py      sign-in, days, saves, a page with an empty browser cache, a large archive
    full_day.py   a day of many entries and replies, and a month of the calendar
    imports.py    import_diary
    keys.py       a rotation in a large archive, and the checks of access tokens (group `tokens`), each
                  in a separate process (key_process.py)
    programs/     pages while fifty programs call the API, their calls, and import times (group `api`)
    facts/        the list of many facts, typing, exports and changes, beside the figures of search.py
    search.py     the first search after unlocking, queries, related entries, memory, at four sizes
    streams.py    first token and tokens a second, through our server and from the model server directly
"""
