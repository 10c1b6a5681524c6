"""Elapsed time that does not depend on changes of the wall clock, and cut-off times for deletions by age.

elapsed_time.py   computes elapsed time and cut-off times from readings of two clocks
services.py       reads the clocks, saves the elapsed time, and returns cut-off times to other apps
sentences.py      messages about a clock that was set, or that is wrong
record_file.py    the file with the last observation, beside the database

The wall clock can be wrong and can be set. So data is deleted for its age (the bin, earlier versions, old
backups) only if `services.get_cutoff` says so, never by the wall clock alone.
"""
