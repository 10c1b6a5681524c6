"""What a server is and offers: its kind, models, context window, slots.

llama.cpp   /props: default_generation_settings.n_ctx (per slot), total_slots
LM Studio   /api/v0/models: loaded_context_length, max_context_length, state
Ollama      /api/ps: context_length of what is loaded; its default before that
vLLM        /v1/models: max_model_len
others      /v1/models: names only
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from llamora.llm.errors import MalformedResponse, ModelError, WrongAddress

FetchJson = Callable[[str], Awaitable[Any]]
"""Fetches a path and gives back its JSON; raises ModelError."""

OLLAMA_DEFAULT_WINDOW = 4096
UNKNOWN_WINDOW = 4096


@dataclass(frozen=True, kw_only=True)
class ServerCapabilities:
    """What a model server offers. `context_window` is in tokens, for one reply at a time."""

    kind: str
    models: tuple[str, ...]
    context_window: int
    slots: int = 1
    counts_tokens: bool = False
    windows: Mapping[str, int] = field(default_factory=dict)

    def for_model(self, name: str) -> "ServerCapabilities":
        """The same with the window of that model, where models of one server differ."""
        return replace(self, context_window=self.windows.get(name, self.context_window))

    @property
    def name(self) -> str:
        """The model used when nobody names one."""
        return self.models[0] if self.models else ""


def _positive_int(value: object, default: int) -> int:
    return value if isinstance(value, int) and value > 0 else default


def _entries(answer: object, key: str) -> list[dict[str, Any]]:
    found = answer.get(key) if isinstance(answer, dict) else None
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def _names(entries: list[dict[str, Any]], key: str = "id") -> tuple[str, ...]:
    return tuple(entry[key] for entry in entries if isinstance(entry.get(key), str))


async def _get_or_none(get: FetchJson, path: str) -> Any:
    """The answer, or None where the server has no such path."""
    try:
        return await get(path)
    except ModelError:
        return None


async def _models(get: FetchJson) -> dict[str, Any]:
    """The list of models; a page of some other program is a wrong address."""
    try:
        models = await get("/v1/models")
    except MalformedResponse:
        raise WrongAddress from None
    if not isinstance(models, dict):
        raise WrongAddress
    return models


async def probe(get: FetchJson) -> ServerCapabilities:
    """Ask everything at once; `/v1/models` decides whether it is a model server at all."""
    models, props, studio, loaded = await asyncio.gather(
        _models(get), *(_get_or_none(get, path) for path in ("/props", "/api/v0/models", "/api/ps"))
    )
    entries = _entries(models, "data")
    if isinstance(props, dict) and "default_generation_settings" in props:
        return _llama_cpp(entries, props)
    if _entries(studio, "data"):
        return _lm_studio(_entries(studio, "data"))
    if isinstance(loaded, dict) and "models" in loaded:
        return _ollama(entries, _entries(loaded, "models"))
    return _other_server(entries)


def _llama_cpp(entries: list[dict[str, Any]], props: dict[str, Any]) -> ServerCapabilities:
    defaults = props["default_generation_settings"]
    window = defaults.get("n_ctx") if isinstance(defaults, dict) else None
    return ServerCapabilities(
        kind="llama.cpp",
        models=_names(entries),
        context_window=_positive_int(window, UNKNOWN_WINDOW),
        slots=_positive_int(props.get("total_slots"), 1),
        counts_tokens=True,
    )


def _lm_studio(entries: list[dict[str, Any]]) -> ServerCapabilities:
    writers = [entry for entry in entries if entry.get("type") != "embeddings"]
    writers.sort(key=lambda entry: entry.get("state") != "loaded")
    windows = _windows(writers, name="id", window="loaded_context_length")
    # A model that is not loaded yet will get LM Studio's default window, not its largest.
    return _with_windows("LM Studio", _names(writers), windows, default=UNKNOWN_WINDOW)


def _ollama(entries: list[dict[str, Any]], loaded: list[dict[str, Any]]) -> ServerCapabilities:
    ready = _names(loaded, "name")
    rest = tuple(name for name in _names(entries) if name not in ready)
    windows = _windows(loaded, name="name", window="context_length")
    return _with_windows("Ollama", ready + rest, windows, default=OLLAMA_DEFAULT_WINDOW)


def _windows(entries: list[dict[str, Any]], *, name: str, window: str) -> dict[str, int]:
    return {
        entry[name]: _positive_int(entry.get(window), 0)
        for entry in entries
        if isinstance(entry.get(name), str)
    }


def _with_windows(
    kind: str, models: tuple[str, ...], known: dict[str, int], *, default: int
) -> ServerCapabilities:
    windows = {model: known.get(model) or default for model in models}
    window = next(iter(windows.values()), default)
    return ServerCapabilities(kind=kind, models=models, context_window=window, windows=windows)


def _other_server(entries: list[dict[str, Any]]) -> ServerCapabilities:
    first = entries[0] if entries else {}
    is_vllm = first.get("owned_by") == "vllm" or "max_model_len" in first
    # A server that batches continuously has no fixed slots; four at once keeps each of them quick.
    return ServerCapabilities(
        kind="vLLM" if is_vllm else "other",
        models=_names(entries),
        context_window=_positive_int(first.get("max_model_len"), UNKNOWN_WINDOW),
        slots=4 if is_vllm else 1,
    )
