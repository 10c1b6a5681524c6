"""The files of an embedder: which model they are, which of them are missing, the digest of its weights."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

# What the authors of a model named it by before it was published: the name in `config.json` stays.
_PUBLISHED: Final = {"MiniLM-L6-H384-uncased": "all-MiniLM-L6-v2"}
_DIGEST_BYTES: Final = 8


def build_embedder_name(model: str, weights: Iterable[Path]) -> str:
    """Return the name under which the vectors of these weights are stored."""
    digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    for path in weights:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "blake2b").digest())
    return f"{model}@{digest.hexdigest()}"


def guess_model(folder: Path, known: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the known model whose files are in a folder, or None.

    The model is found by its authors' name for it in `config.json`, or by the name of the folder. If
    `config.json` has the width of the vectors, it must match.
    """
    config = _read_config(folder)
    original = str(config.get("_name_or_path", "")).rstrip("/").rpartition("/")[2]
    names = (_PUBLISHED.get(original, original), original.rpartition("_")[2], folder.resolve().name)
    fitting = [model for model in known if config.get("hidden_size") in (None, model["dim"])]
    for name in names:
        for model in fitting:
            if name and model["model"].rpartition("/")[2].lower() == name.lower():
                return model
    return None


def _read_config(folder: Path) -> dict[str, Any]:
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return config if isinstance(config, dict) else {}


def list_weights(folder: Path, model: dict[str, Any]) -> list[Path]:
    """Return the paths of a model's weights."""
    return [folder / name for name in (model["model_file"], *model["additional_files"])]


def find_missing_file(folder: Path, model: dict[str, Any]) -> Path | None:
    """Return the path of a missing file that a model needs, or None."""
    needed = (*list_weights(folder, model), folder / "tokenizer.json", folder / "tokenizer_config.json")
    return next((path for path in needed if not path.is_file()), None)
