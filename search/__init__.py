"""Full-text and semantic search over one person's decrypted diary; the indexes are in this process's memory.

query/      the query language, text folding, snippets, the filter by traces; all pure but the last
index/      word index (FTS5), vector index, their sources, snapshots and worker threads
results/    a ranking as the page shows it: hits by day, filters to click
engine      one search: query both indexes, fuse the rankings, build the days of one page
fusion      fusion of the rankings by words and by meaning, and the reasons for each hit
chunks      splitting of texts for embedding
embedder/   the embedding models: the included one, others, and which of them this process uses
programs/   search for a program, without the texts that its token may not read
ask/        questions to the diary, answered from its passages
fact_recall/, related_entries
            facts, notes and earlier entries that bear on an entry, for prompts
look_backs/, checkins/
            texts of the model about a week or month; scheduled checks of standing requests
services    the functions that views and commands call
receivers   signals of the apps below that change an index
"""

import os

# numpy reads it when it is first imported. Its threads wait for each other in a busy loop: while somebody
# searches, they would take the processor from pages and from the model that embeds the question.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
