"""The time that has really passed, whatever the clock of the machine says.

passed_time.py   the evidence: what a reading of the clocks adds to it, and what follows from it
services.py      reading the clocks, the record in the database, moments before which something is over
sentences.py     what a person is told about a clock that was set, or that is wrong
models.py        the one row with the record

The wall clock can be wrong and can be set. What is over for good (the bin, earlier versions, old backups) is
decided by `services.get_cutoff`, never by the wall clock alone.
"""
