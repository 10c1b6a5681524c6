"""Checks of the model server and of the embedder; both are optional."""

import asyncio
from collections.abc import Iterator

from llamora.inference.config import ModelConfig
from llamora.inference.messages import TOO_SMALL_NOTICE, get_message
from llamora.inference.model_choice.catalogue import format_gigabytes
from llamora.inference.model_choice.errors import get_sentence
from llamora.inference.model_choice.model_files import ModelFile, list_model_files
from llamora.inference.model_choice.selection import select_model
from llamora.inference.model_choice.services import list_unfinished
from llamora.inference.model_choice.watching import FolderWatch, find_target
from llamora.inference.model_server import discover, get_status, stop
from llamora.inference.status import ModelStatus
from llamora.llm.model_files.size import is_too_small
from llamora.ops.doctor.check_result import CheckResult, ok, warn
from llamora.pluralize import pluralize

_PATIENCE_SECONDS = 8.0


def check_model_server() -> Iterator[CheckResult]:
    """Report the model server that `manage.py up` would find; a model file is not loaded."""
    config = ModelConfig.from_settings()
    selection = select_model(config)
    if selection.problem:
        yield warn("model", get_sentence(selection.problem))
    for file in list_model_files(config.models_folder):
        if file.problem:
            yield warn("model", f"{file.path.name}: {file.sentence}")
    for part in list_unfinished():
        yield ok(
            "model",
            f"{part.name} is an unfinished download of {format_gigabytes(part.size)}. To go on, download it "
            f"again; to delete it, use: manage.py model remove {part.name}",
        )
    target = find_target(config, FolderWatch(config.models_folder), None)
    if target.file is not None:
        yield _describe_file(target.file)
        return
    if target.problem and not target.may_look_elsewhere:
        yield warn("model", f"{selection.file}: {get_message(target.problem)}")
        return
    found = asyncio.run(_find_model())
    is_usable = found.is_ready and not found.is_too_small_for("")
    yield ok("model", found.message) if is_usable else warn("model", found.message)


def _describe_file(file: ModelFile) -> CheckResult:
    message = f"The server runs {file.path.name} ({file.size // 2**20:,} MiB) itself."
    is_small = file.facts is not None and is_too_small(file.facts.parameters or None)
    return warn("model", f"{message} {TOO_SMALL_NOTICE}") if is_small else ok("model", message)


async def _find_model() -> ModelStatus:
    try:
        await discover(patience=_PATIENCE_SECONDS)
        return get_status()
    finally:
        await stop()


def check_embeddings() -> Iterator[CheckResult]:
    """Load the embedder, and report whether it works."""
    # numpy comes with it, and only doctor asks.
    from search.embedder.holder import embedders  # noqa: PLC0415
    from search.embedder.self_test import passes_self_test  # noqa: PLC0415
    from search.errors import EmbedderUnavailable  # noqa: PLC0415
    from search.index import graph  # noqa: PLC0415

    try:
        embedder = embedders.get()
    except EmbedderUnavailable as failure:
        yield _describe_failure(failure.code, failure.detail)
    else:
        model = embedder.name.partition("@")[0]
        if passes_self_test(embedder):
            yield ok("embeddings", f"{model} was loaded and tells related sentences from others.")
        else:
            yield warn(
                "embeddings",
                f"{model} was loaded, but can't tell related sentences from others. Set LLAMORA_SEARCH_MODEL "
                "and LLAMORA_SEARCH_MODEL_PATH to another model, or leave them empty.",
            )
    if not graph.is_available():
        yield ok(
            "embeddings",
            "The package hnswlib is not installed. Search finds the same, but is slower for people with more "
            f"than about {graph.GRAPH_THRESHOLD:,} passages.",
        )


_EMBEDDER_ADVICE = {
    "package": "Install the packages again with the first command of the README.",
    "absent": "Download it with manage.py reindex NAME --fetch-model, or leave LLAMORA_SEARCH_MODEL empty.",
    "folder": "Copy the file there, or correct LLAMORA_SEARCH_MODEL_PATH.",
    "unknown": "Set LLAMORA_SEARCH_MODEL to the name of a model that fastembed has.",
}


def _describe_failure(code: str, detail: str) -> CheckResult:
    if code == "off":
        return ok("embeddings", "LLAMORA_SEARCH_MODEL is off, so search finds words but not related entries.")
    advice = _EMBEDDER_ADVICE.get(code, "Set LLAMORA_SEARCH_MODEL to another model, or leave it empty.")
    return warn("embeddings", f"Search finds words but not related entries: {detail}. {advice}")


def check_former_vectors() -> Iterator[CheckResult]:
    """Report how many texts have vectors of another model, or of other weights of the same model."""
    from search.embedder.holder import embedders  # noqa: PLC0415
    from search.errors import EmbedderUnavailable  # noqa: PLC0415
    from search.models import Vector  # noqa: PLC0415 - models must be loaded first

    try:
        embedder = embedders.get().name
    except EmbedderUnavailable:
        # The check of the embedder says so.
        return
    many = Vector.objects.exclude(embedder=embedder).count()
    if many:
        yield ok(
            "embeddings",
            f"{pluralize(many, 'text was', 'texts were')} indexed for related entries with another model. "
            "Llamora indexes them again in the background while people are unlocked. Words are found anyway.",
        )
