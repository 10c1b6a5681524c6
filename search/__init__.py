"""Finding what was written: by words and by meaning, in the memory of this process alone.

text, query      folding, query                  what is typed and what is written, made comparable; pure
words            words, ranking, matching        an FTS5 database in memory, and what it is asked
meaning          chunks, embedder, vectors, nearness, graph
both             fusion, snippets                one ranking, and why and where a hit matched
keeping          models, rows, keeping, snapshots, packing, sources
                                                sealed vectors, sealed snapshots, what can be found
living           person, indexes, lanes, receivers, building
"""
