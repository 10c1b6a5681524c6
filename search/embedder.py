"""The embedding model of this process and its settings: fastembed, loaded when needed, without a network.

fastembed takes two seconds to import, and uses the network if it finds no model files; so it is imported only
if there are files. onnxruntime's arena is off, since it would retain the memory of the largest batch.

    SEARCH_MODEL        name of the embedder; vectors of different embedders cannot be compared
    SEARCH_MODEL_PATH   folder of the model files, for machines without a network; default: the data folder
    SEARCH_THREADS      number of threads for embedding
    SEARCH_MEMORY_MB    memory limit for the indexes of all people together
"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Final, Protocol

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from search.errors import EmbedderUnavailable

DEFAULT_EMBEDDER = "BAAI/bge-small-en-v1.5"


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSettings:
    """Settings of search, read from Django's settings."""

    model: str
    model_path: str
    threads: int
    memory: int
    folder: Path

    @property
    def models_folder(self) -> Path:
        """Return the folder of downloaded embedders."""
        return self.folder.parent / "models" / "embedding"


def get_search_settings() -> SearchSettings:
    """Return the current settings of search."""
    return SearchSettings(
        model=getattr(settings, "SEARCH_MODEL", DEFAULT_EMBEDDER),
        model_path=getattr(settings, "SEARCH_MODEL_PATH", ""),
        threads=getattr(settings, "SEARCH_THREADS", 1),
        memory=getattr(settings, "SEARCH_MEMORY_MB", 1024) * 1024 * 1024,
        folder=Path(settings.DATA_DIR) / "search",
    )


Floats = NDArray[np.float32]
EMBED_BATCH: Final = 4

# Below this cosine a text has nothing to do with the question, by model: some call everything half alike.
_SIMILARITY_FLOORS: Final = {"BAAI/bge-small-en-v1.5": 0.5}
_DEFAULT_FLOOR: Final = 0.2


class Embedder(Protocol):
    """An embedding model, which turns texts into unit vectors."""

    name: str
    width: int
    floor: float

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return the number of tokens of each text."""

    def embed_passages(self, texts: Sequence[str]) -> Floats:
        """Return a unit vector for each text."""

    def embed_question(self, text: str) -> Floats:
        """Return the unit vector of a question."""


class FastEmbedder:
    """An embedder that runs a model of fastembed."""

    def __init__(self, search_settings: SearchSettings, *, fetch: bool = False) -> None:
        text_embedding = _load_fastembed(offline=not fetch)
        try:
            self._model: Any = text_embedding(
                search_settings.model,
                cache_dir=str(search_settings.models_folder),
                specific_model_path=search_settings.model_path or None,
                threads=search_settings.threads,
                providers=["CPUExecutionProvider"],
                enable_cpu_mem_arena=False,
                local_files_only=not fetch,
            )
        except Exception:
            # fastembed and onnxruntime raise what they like; whatever it is, words still work.
            raise EmbedderUnavailable("broken") from None
        self._counter = self._copy_without_truncation(self._model.model.tokenizer)
        self.name = search_settings.model
        self.width = int(self._model.embedding_size)
        self.floor = _SIMILARITY_FLOORS.get(search_settings.model, _DEFAULT_FLOOR)

    @staticmethod
    def _copy_without_truncation(tokenizer: Any) -> Any:
        whole = type(tokenizer).from_str(tokenizer.to_str())
        whole.no_truncation()
        whole.no_padding()
        return whole

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return the number of tokens of each text."""
        return [len(found.ids) for found in self._counter.encode_batch(list(texts), add_special_tokens=False)]

    def embed_passages(self, texts: Sequence[str]) -> Floats:
        """Return a unit vector for each text."""
        return _normalize_rows(self._model.passage_embed(list(texts), batch_size=EMBED_BATCH))

    def embed_question(self, text: str) -> Floats:
        """Return the unit vector of a question."""
        row: Floats = _normalize_rows(self._model.query_embed([text]))[0]
        return row


def _normalize_rows(vectors: Iterable[Any]) -> Floats:
    matrix = np.asarray(list(vectors), dtype=np.float32)
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    return np.asarray(matrix / np.maximum(lengths, 1e-12), dtype=np.float32)


def _load_fastembed(*, offline: bool) -> Any:
    # Read by huggingface_hub when it is first imported; set before, and only here.
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ["HF_HUB_DISABLE_XET"] = "1"
    if offline:
        os.environ["HF_HUB_OFFLINE"] = "1"
    from fastembed import TextEmbedding  # noqa: PLC0415 - two seconds, spent only where there is a model

    return TextEmbedding


def has_model_files(search_settings: SearchSettings) -> bool:
    """Return whether the folder of the embedder's files exists, without importing fastembed."""
    folder = Path(search_settings.model_path) if search_settings.model_path else search_settings.models_folder
    return folder.is_dir() and next(folder.rglob("*.onnx"), None) is not None


class EmbedderHolder:
    """Cache of this process's embedder; while its model files are missing, each `get` checks for them."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._made: Embedder | None = None
        self._broken: SearchSettings | None = None

    def get(self) -> Embedder:
        """Return the embedder, created at the first call; raise EmbedderUnavailable."""
        with self._lock:
            search_settings = get_search_settings()
            if self._made is not None and self._made.name == search_settings.model:
                return self._made
            if not has_model_files(search_settings):
                raise EmbedderUnavailable("absent")
            if self._broken == search_settings:
                raise EmbedderUnavailable("broken")
            try:
                self._made = FastEmbedder(search_settings)
            except EmbedderUnavailable:
                self._broken = search_settings
                raise
            return self._made

    def set_embedder(self, embedder: Embedder | None) -> None:
        """Replace the cached embedder; None clears the cache."""
        with self._lock:
            self._made, self._broken = embedder, None

    def download(self) -> Embedder:
        """Download the configured embedder and use it from now on.

        Called only by `reindex`; nothing is downloaded unasked.
        """
        search_settings = get_search_settings()
        search_settings.models_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        embedder = FastEmbedder(search_settings, fetch=True)
        self.set_embedder(embedder)
        return embedder


embedders = EmbedderHolder()
