"""Embedders that fastembed runs: from a folder, or downloaded on request.

fastembed takes two seconds to import, and uses the network if it finds no model files; so it is imported only
if there are files. onnxruntime's arena is off, since it would retain the memory of the largest batch.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from search.embedder import model_folder
from search.embedder.search_settings import SearchSettings
from search.embedder.types import EMBED_BATCH, Floats, get_floors, normalize_rows
from search.errors import EmbedderUnavailable


class FastEmbedder:
    """An embedder that runs a model of fastembed."""

    def __init__(self, search_settings: SearchSettings, model: str, *, fetch: bool = False) -> None:
        text_embedding = _load_fastembed(offline=not fetch)
        try:
            self._model: Any = text_embedding(
                model,
                cache_dir=str(search_settings.models_folder),
                specific_model_path=search_settings.model_path or None,
                threads=search_settings.threads,
                providers=["CPUExecutionProvider"],
                enable_cpu_mem_arena=False,
                local_files_only=not fetch,
            )
            self._counter = self._copy_without_truncation(self._model.model.tokenizer)
            self.name = model_folder.build_embedder_name(model, self._list_weights())
        except Exception as error:
            # fastembed and onnxruntime raise what they like; whatever it is, words still work.
            raise EmbedderUnavailable("broken", f"{model}: {error}") from None
        self.width = int(self._model.embedding_size)
        self.floors = get_floors(model)

    @staticmethod
    def _copy_without_truncation(tokenizer: Any) -> Any:
        whole = type(tokenizer).from_str(tokenizer.to_str())
        whole.no_truncation()
        whole.no_padding()
        return whole

    def _list_weights(self) -> list[Path]:
        described = self._model.model.model_description
        names = {"model_file": described.model_file, "additional_files": described.additional_files}
        return model_folder.list_weights(Path(self._model.model._model_dir), names)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return the number of tokens of each text."""
        return [len(found.ids) for found in self._counter.encode_batch(list(texts), add_special_tokens=False)]

    def embed_passages(self, texts: Sequence[str]) -> Floats:
        """Return a unit vector for each text."""
        return normalize_rows(self._model.passage_embed(list(texts), batch_size=EMBED_BATCH))

    def embed_question(self, text: str) -> Floats:
        """Return the unit vector of a question."""
        row: Floats = normalize_rows(self._model.query_embed([text]))[0]
        return row


def load_from_folder(search_settings: SearchSettings) -> FastEmbedder:
    """Return the embedder in the folder that the settings name; raise EmbedderUnavailable.

    If the settings do not name a model, it is recognized by the files of the folder.
    """
    folder = Path(search_settings.model_path)
    if not folder.is_dir():
        raise EmbedderUnavailable("folder", f"there is no folder {folder}")
    known = _load_fastembed(offline=True).list_supported_models()
    if search_settings.model:
        model = next((one for one in known if one["model"].lower() == search_settings.model.lower()), None)
    else:
        model = model_folder.guess_model(folder, known)
    if model is None:
        raise EmbedderUnavailable("unknown", _describe_unknown(search_settings.model, folder))
    missing = model_folder.find_missing_file(folder, model)
    if missing is not None:
        raise EmbedderUnavailable("folder", f"{model['model']} needs the file {missing}")
    return FastEmbedder(search_settings, model["model"])


def _describe_unknown(name: str, folder: Path) -> str:
    if name:
        return f"fastembed has no model {name}"
    return f"{folder / 'config.json'} does not say which model this is"


def is_downloaded(model: str, search_settings: SearchSettings) -> bool:
    """Return whether the folder of downloads contains this model, as far as its file names show.

    The files are not opened, since this would need fastembed.
    """
    folder, name = search_settings.models_folder, model.rpartition("/")[2].lower()
    return any(name in str(path.relative_to(folder)).lower() for path in folder.rglob("*.onnx"))


def has_downloads(search_settings: SearchSettings) -> bool:
    """Return whether any model was downloaded here."""
    return next(search_settings.models_folder.rglob("*.onnx"), None) is not None


def _load_fastembed(*, offline: bool) -> Any:
    # Read by huggingface_hub when it is first imported; set before, and only here.
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ["HF_HUB_DISABLE_XET"] = "1"
    if offline:
        os.environ["HF_HUB_OFFLINE"] = "1"
    from fastembed import TextEmbedding  # noqa: PLC0415 - two seconds, spent only where there is a model

    return TextEmbedding
