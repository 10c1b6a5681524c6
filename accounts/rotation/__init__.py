"""Rotation of data keys.

services        resume, progress, verification; the three steps are described there
epoch_change    first step: the next data key, in one transaction
reencryption    second step: reseal in batches
completion      third step: delete the former key
background      threads that resume an unfinished rotation after unlock
blind_indexes   columns of other apps that the first step renews
sealed_tables   all sealed columns, found by introspection
errors, error_messages
"""
