"""Full-text and semantic search over one person's decrypted diary, in the memory of this process alone.

query/      the query language, text folding, snippets, the filter by traces; pure but for the last
index/      word index (FTS5), vector index, their sources, snapshots and worker threads
engine      one search: both indexes asked, rankings fused, hits of one page built
fusion      reciprocal rank fusion, and why each hit was found
chunks      how texts are cut for embedding
embedder    the embedding model of this process
services    what views and commands call; related_entries: recall for replies
receivers   signals of the apps below that change an index
"""
