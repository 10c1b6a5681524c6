"""Checks of the model server and of the embedder; both are optional."""

import asyncio
from collections.abc import Iterator

from django.conf import settings

from llamora.inference.config import ModelConfig
from llamora.inference.model_server import discover, get_status, stop
from llamora.inference.status import ModelStatus, ModelUnavailable
from llamora.ops.doctor.check_result import CheckResult, ok, warn

_PATIENCE_SECONDS = 8.0


def check_model_server() -> Iterator[CheckResult]:
    """Report the model server that `up` would find; a model file is not loaded."""
    config = ModelConfig.from_settings()
    try:
        file = None if config.url else config.find_model_file()
    except ModelUnavailable:
        yield warn("model", f"The file {settings.MODEL_FILE} does not exist. Correct LLAMORA_MODEL_FILE.")
        return
    if file is not None:
        size = file.stat().st_size // 2**20
        yield ok("model", f"The server runs {file.name} ({size:,} MiB) itself.")
        return
    found = asyncio.run(_find_model())
    yield ok("model", found.message) if found.is_ready else warn("model", found.message)


async def _find_model() -> ModelStatus:
    try:
        await discover(patience=_PATIENCE_SECONDS)
        return get_status()
    finally:
        await stop()


def check_embeddings() -> Iterator[CheckResult]:
    """Report whether the files of the embedder exist."""
    # numpy comes with it, and only doctor asks.
    from search.embedder import get_search_settings, has_model_files  # noqa: PLC0415
    from search.index import graph  # noqa: PLC0415

    chosen = get_search_settings()
    if has_model_files(chosen):
        yield ok("embeddings", f"{chosen.model} is installed.")
    else:
        yield warn(
            "embeddings",
            f"{chosen.model} is not installed, so search finds words but not related entries. Download it "
            "with manage.py reindex NAME --fetch-model, or copy its files into "
            f"{chosen.model_path or chosen.models_folder}.",
        )
    if not graph.is_available():
        yield ok(
            "embeddings",
            "The package hnswlib is not installed. Search finds the same, but is slower for people with more "
            f"than about {graph.GRAPH_THRESHOLD:,} passages.",
        )
