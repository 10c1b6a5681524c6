"""The in-memory index of each unlocked person, and what it is kept in between sessions.

registry         indexes by person: opened, found, evicted
person_index     the index of one person: words, vectors, and how both stay current
words            the FTS5 database; fts_queries: what it is asked
vectors          chunk vectors: exact cosine; graph: hnswlib above a threshold; similarity: scores
vector_store     sealed rows of vectors; vector_codec: all vectors of a person as bytes
snapshots        sealed files of a whole index
sources          the sealed texts that can be found, and whether derived ones are still current
workers          the two threads that open indexes and embed
rebuild          a whole index made at once, for the command
types            plain values that the modules above pass around
"""
