"""The in-memory index of each unlocked person, and its sealed copies between sessions.

registry         the indexes by person: opens, finds and evicts them
person_index     the index of one person: words, vectors, and how both stay current
unlocked_index   the index of an owner for a program's keyring
words            the FTS5 database; fts_queries: its queries
vectors          chunk vectors: exact cosine; graph: hnswlib above a threshold; similarity: scores
vector_store     sealed rows of vectors; vector_codec: all vectors of a person as bytes
snapshots        sealed files of a whole index
sources          the searchable texts, and whether openings and recaps are still current
workers          the two threads that open indexes and embed texts
rebuild          the rebuild of a whole index at once, for the command
types            plain values that these modules exchange
"""
