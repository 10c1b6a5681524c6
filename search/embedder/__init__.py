"""Embedders, which turn texts into vectors, such that texts of similar meaning have similar vectors.

holder            the embedder of this process, loaded when it is first needed
search_settings   the settings of search
included          the embedder that comes with Llamora; minilm/: its vocabulary and licence
fastembed_models  other embedders, which fastembed runs
model_folder      the files of an embedder: which model they are, which are missing, the digest of its weights
self_test         a test that related sentences get similar vectors
types             the interface of all embedders, and their similarity thresholds
"""

import os

# onnxruntime reports to its makers which models are loaded, and writes an identifier into the home folder,
# unless this is set before it is first imported. Nothing but this package imports it.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
