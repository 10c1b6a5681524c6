"""The model that writes replies, and the one that finds by meaning; the diary does without either."""

import asyncio
from collections.abc import Iterator

from django.conf import settings

from llamora.inference import model_server as inference_model_server
from llamora.inference.config import ModelConfig
from llamora.inference.status import ModelStatus, ModelUnavailable
from llamora.ops.doctor.check_result import CheckResult, ok, warn

_PATIENCE = 8.0


def model_server() -> Iterator[CheckResult]:
    """Look for the model as `up` does; a file is not loaded for that."""
    wish = ModelConfig.from_settings()
    try:
        file = None if wish.url else wish.find_model_file()
    except ModelUnavailable:
        yield warn("model", f"The file {settings.MODEL_FILE} is not there. Correct LLAMORA_MODEL_FILE.")
        return
    if file is not None:
        size = file.stat().st_size // 2**20
        yield ok("model", f"{file.name}, {size:,} MiB, is run by Llamora itself while it serves.")
        return
    found = asyncio.run(_find_model())
    yield ok("model", found.message) if found.is_ready else warn("model", found.message)


async def _find_model() -> ModelStatus:
    try:
        await inference_model_server.discover(patience=_PATIENCE)
        return inference_model_server.get_status()
    finally:
        await inference_model_server.stop()


def embeddings() -> Iterator[CheckResult]:
    """Look for the files that finding by meaning needs."""
    # numpy comes with it, and only doctor asks.
    from search.embedder import get_search_settings, has_model_files  # noqa: PLC0415

    choices = get_search_settings()
    if has_model_files(choices):
        yield ok("embeddings", f"The files of {choices.model} are there.")
    else:
        yield warn(
            "embeddings",
            f"The files of {choices.model} are not there, so search finds words and not meaning. Put them "
            f"into {choices.model_path or choices.models_folder}.",
        )
