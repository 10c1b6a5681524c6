"""The one embedder of this process: fastembed, made when first needed, without a network.

fastembed takes two seconds to import and a network where it finds no files, so neither happens unless there
are files. onnxruntime's arena is off: it keeps the memory of the largest batch it ever saw.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from threading import Lock
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from search.choices import SearchChoices, chosen
from search.errors import EmbedderAway

Floats = NDArray[np.float32]
BATCH: Final = 4

# Below this cosine a text has nothing to do with the question, by model: some call everything half alike.
_FLOORS: Final = {"BAAI/bge-small-en-v1.5": 0.5}
_FLOOR: Final = 0.2


class Embedder(Protocol):
    """Something that turns texts into unit vectors."""

    name: str
    width: int
    floor: float

    def counts(self, texts: Sequence[str]) -> list[int]:
        """Return how many tokens each text has."""

    def passages(self, texts: Sequence[str]) -> Floats:
        """Return a unit vector for each text."""

    def question(self, text: str) -> Floats:
        """Return the unit vector of a question."""


class FastEmbedder:
    """fastembed's model of that name."""

    def __init__(self, choices: SearchChoices, *, fetch: bool = False) -> None:
        text_embedding = _fastembed(offline=not fetch)
        try:
            self._model: Any = text_embedding(
                choices.model,
                cache_dir=str(choices.models_folder),
                specific_model_path=choices.model_path or None,
                threads=choices.threads,
                providers=["CPUExecutionProvider"],
                enable_cpu_mem_arena=False,
                local_files_only=not fetch,
            )
        except Exception:
            # fastembed and onnxruntime raise what they like; whatever it is, words still work.
            raise EmbedderAway("broken") from None
        self._counter = self._untruncated(self._model.model.tokenizer)
        self.name = choices.model
        self.width = int(self._model.embedding_size)
        self.floor = _FLOORS.get(choices.model, _FLOOR)

    @staticmethod
    def _untruncated(tokenizer: Any) -> Any:
        whole = type(tokenizer).from_str(tokenizer.to_str())
        whole.no_truncation()
        whole.no_padding()
        return whole

    def counts(self, texts: Sequence[str]) -> list[int]:
        """Return how many tokens each text has."""
        return [len(found.ids) for found in self._counter.encode_batch(list(texts), add_special_tokens=False)]

    def passages(self, texts: Sequence[str]) -> Floats:
        """Return a unit vector for each text."""
        return _unit(self._model.passage_embed(list(texts), batch_size=BATCH))

    def question(self, text: str) -> Floats:
        """Return the unit vector of a question."""
        row: Floats = _unit(self._model.query_embed([text]))[0]
        return row


def _unit(vectors: Iterable[Any]) -> Floats:
    matrix = np.asarray(list(vectors), dtype=np.float32)
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    return np.asarray(matrix / np.maximum(lengths, 1e-12), dtype=np.float32)


def _fastembed(*, offline: bool) -> Any:
    # Read by huggingface_hub when it is first imported; set before, and only here.
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ["HF_HUB_DISABLE_XET"] = "1"
    if offline:
        os.environ["HF_HUB_OFFLINE"] = "1"
    from fastembed import TextEmbedding  # noqa: PLC0415 - two seconds, spent only where there is a model

    return TextEmbedding


def files_are_there(choices: SearchChoices) -> bool:
    """Return whether there is a folder with an embedder's files, without importing anything."""
    folder = Path(choices.model_path) if choices.model_path else choices.models_folder
    return folder.is_dir() and next(folder.rglob("*.onnx"), None) is not None


class Embedders:
    """Makes the process's embedder once; it lasts, and a missing one is looked for again."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._made: Embedder | None = None
        self._broken: SearchChoices | None = None

    def ready(self) -> Embedder | None:
        """Return the embedder if it is made already; never waits."""
        return self._made

    def get(self) -> Embedder:
        """Return the embedder, making it if need be; raise EmbedderAway."""
        with self._lock:
            choices = chosen()
            if self._made is not None and self._made.name == choices.model:
                return self._made
            if not files_are_there(choices):
                raise EmbedderAway("absent")
            if self._broken == choices:
                raise EmbedderAway("broken")
            try:
                self._made = FastEmbedder(choices)
            except EmbedderAway:
                self._broken = choices
                raise
            return self._made

    def use(self, embedder: Embedder | None) -> None:
        """Use this embedder from now on: one made elsewhere, or another after a change of settings."""
        with self._lock:
            self._made, self._broken = embedder, None

    def fetch(self) -> Embedder:
        """Download the chosen embedder, because the person running the household asked for it."""
        choices = chosen()
        choices.models_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        embedder = FastEmbedder(choices, fetch=True)
        self.use(embedder)
        return embedder


embedders = Embedders()
