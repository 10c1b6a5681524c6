"""Elapsed time, independent of changes of the wall clock, and the cut-offs by age that follow from it.

passed_time.py   the elapsed time and the cut-offs, computed from readings of two clocks
services.py      readings of the clocks, the record, and the cut-offs for other apps
sentences.py     what a person is told about a clock that was set, or that is wrong
record_file.py   the record, in a file beside the database

The wall clock can be wrong and can be set. What is over for good (the bin, earlier versions, old backups) is
decided by `services.get_cutoff`, never by the wall clock alone.
"""
