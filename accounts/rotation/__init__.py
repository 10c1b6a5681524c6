"""Rotation of data keys: replaces a person's data key with a new one and reseals all their rows.

services        resume, progress, verification; its docstring describes the three steps
epoch_change    first step: the next data key, in one transaction
reencryption    second step: reseal in batches
completion      third step: destroy each former key when no row needs it
background      threads that resume an unfinished rotation after unlock
format_2        first values of the columns that are new in format 2, and first MACs of rows
format_upgrade  the rotation that moves a diary from format 1 to format 2
unconfirmed_code  replacement of a recovery code that was never confirmed
blind_indexes   blind-index columns of other apps, recomputed by the first step
sealed_tables   all tables with sealed columns, found by introspection
errors, error_messages
"""
