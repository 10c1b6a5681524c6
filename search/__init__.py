"""Finding what was written: by words and by meaning, in the memory of this process alone.

text, query      folding, asked, query           what is typed and what is written, made comparable; pure
words            words, tables, ranking, matching
                                                an FTS5 database in memory, and what it is asked
meaning          chunks, embedder, embedded, vectors, nearness, graph
both             finding, fusion, snippets, traced, presenting
                                                one ranking, why and where a hit matched, and how it is shown
what there is    sources, opened, drawn          the texts of the floors below, and whether they still hold
keeping          models, rows, keeping, snapshots, packing
                                                sealed vectors, sealed snapshots
living           held, person, indexes, lanes, receivers, building
"""
