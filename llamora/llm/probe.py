"""Probe of a model server: detects its kind, models, their sizes, context window and slots.

llama.cpp   /props: default_generation_settings.n_ctx (per slot), total_slots; /v1/models: meta.n_params
LM Studio   /api/v0/models: loaded_context_length, max_context_length, state, in some versions params_string
Ollama      /api/ps: context_length of loaded models; for other models Ollama's default
            /api/tags: details.parameter_size
            /api/version: the server is Ollama, whose own format can set the context window; /api/show:
            the largest context window
Anthropic   /v1/models: max_input_tokens
vLLM        /v1/models: max_model_len
others      /v1/models: names only; without it, a setting names the model

If a server does not state the size of a model, the size is taken from the model's name.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from llamora.llm.errors import ApiKeyRefused, MalformedResponse, ModelError, PathNotFound, WrongAddress
from llamora.llm.formats.wire_format import ANTHROPIC, AUTO, OLLAMA, OPENAI
from llamora.llm.model_files.size import find_size_in_name, parse_size

FetchJson = Callable[..., Awaitable[Any]]
"""Function that fetches a path, or sends a body to it, and returns its JSON, or raises ModelError."""

OLLAMA_DEFAULT_WINDOW = 4096
UNKNOWN_WINDOW = 4096
# Of the smallest model that is offered in Anthropic's format.
ANTHROPIC_WINDOW = 200_000
# Replies at a time of a service with many machines.
SERVICE_SLOTS = 4


@dataclass(frozen=True, kw_only=True)
class ServerCapabilities:
    """Capabilities of a model server; `context_window` is the limit of tokens for a prompt with its reply.

    `stated_sizes` has the number of parameters of each model for which the server states it. `wire_format` is
    the name of the format in which replies are requested.
    """

    kind: str
    models: tuple[str, ...]
    context_window: int
    slots: int = 1
    wire_format: str = OPENAI
    counts_tokens: bool = False
    windows: Mapping[str, int] = field(default_factory=dict)
    stated_sizes: Mapping[str, int] = field(default_factory=dict)

    def find_parameters(self, model: str) -> int | None:
        """Return the number of parameters of a model, from the server or from the name; None if unknown."""
        return self.stated_sizes.get(model) or find_size_in_name(model)

    def for_model(self, name: str) -> "ServerCapabilities":
        """Return a copy of these capabilities, with the context window of the model `name`.

        The models of one server may have different context windows.
        """
        return replace(self, context_window=self.windows.get(name, self.context_window))

    @property
    def name(self) -> str:
        """The model that is used if a request names none."""
        return self.models[0] if self.models else ""


def _parse_positive_int(value: object, default: int) -> int:
    return value if isinstance(value, int) and value > 0 else default


def _get_entries(answer: object, key: str) -> list[dict[str, Any]]:
    found = answer.get(key) if isinstance(answer, dict) else None
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def _get_names(entries: list[dict[str, Any]], key: str = "id") -> tuple[str, ...]:
    return tuple(entry[key] for entry in entries if isinstance(entry.get(key), str))


async def _get_or_none(get: FetchJson, path: str) -> Any:
    """Return the JSON of a path, or None if the server does not have it."""
    try:
        return await get(path)
    except ModelError:
        return None


@dataclass(frozen=True, kw_only=True)
class ProbeOptions:
    """Options for probing a model server: what the configuration says about the server.

    named         the configured model, for a server that does not list its models
    wire_format   the name of the wire format, or `AUTO`
    has_key       whether there is an API key; without one, a named model is not verified if a key is required
    context       the context window in tokens with which Ollama loads models
    """

    named: str = ""
    wire_format: str = AUTO
    has_key: bool = True
    context: int = UNKNOWN_WINDOW


_NO_OPTIONS = ProbeOptions()


async def _fetch_models(get: FetchJson, path: str, options: ProbeOptions) -> dict[str, Any]:
    """Return the response with the list of models; raise WrongAddress if another program responds.

    If a setting names the model, a response with only that model is made up in two cases: if the server has
    no list, and if it requires a key and none is configured, since each person may have their own key.
    """
    try:
        models = await get(path)
    except PathNotFound:
        if not options.named:
            raise
        return {"data": [{"id": options.named}]}
    except ApiKeyRefused:
        if options.has_key or not options.named:
            raise
        return {"data": [{"id": options.named}]}
    except MalformedResponse:
        raise WrongAddress from None
    if not isinstance(models, dict):
        raise WrongAddress
    return models


async def probe_server(get: FetchJson, options: ProbeOptions = _NO_OPTIONS) -> ServerCapabilities:
    """Return a server's capabilities; raise WrongAddress if no model server is at the address."""
    if options.wire_format == ANTHROPIC:
        return await _probe_anthropic(get, options)
    if options.wire_format == OLLAMA:
        return await _probe_ollama_itself(get, options)
    models, props, studio, loaded = await asyncio.gather(
        _fetch_models(get, "/v1/models", options),
        *(_get_or_none(get, path) for path in ("/props", "/api/v0/models", "/api/ps")),
    )
    entries = _get_entries(models, "data")
    if isinstance(props, dict) and "default_generation_settings" in props:
        return _parse_llama_cpp(entries, props)
    if _get_entries(studio, "data"):
        return _parse_lm_studio(_get_entries(studio, "data"))
    if isinstance(loaded, dict) and "models" in loaded:
        if options.wire_format == AUTO and await _has_version(get):
            return await _probe_ollama_itself(get, options)
        tags = _get_entries(await _get_or_none(get, "/api/tags"), "models")
        return _parse_ollama(entries, _get_entries(loaded, "models"), tags)
    return _parse_other_server(entries)


async def _has_version(get: FetchJson) -> bool:
    found = await _get_or_none(get, "/api/version")
    return isinstance(found, dict) and isinstance(found.get("version"), str)


async def _probe_anthropic(get: FetchJson, options: ProbeOptions) -> ServerCapabilities:
    # Without a key there is no answer.
    if options.named and not options.has_key:
        models: dict[str, Any] = {"data": [{"id": options.named}]}
    else:
        models = await _fetch_models(get, "/v1/models?limit=100", options)
    entries = _get_entries(models, "data")
    windows = _get_windows(entries, name="id", window="max_input_tokens")
    found = _build_capabilities("Anthropic", _get_names(entries), windows, default=ANTHROPIC_WINDOW)
    return replace(found, slots=SERVICE_SLOTS, wire_format=ANTHROPIC)


async def _probe_ollama_itself(get: FetchJson, options: ProbeOptions) -> ServerCapabilities:
    """Return the capabilities of Ollama if its own format is used.

    Requests then set the context window: the configured one, or the model's largest if that is smaller.
    """
    tags, loaded = await asyncio.gather(_fetch_tags(get), _get_or_none(get, "/api/ps"))
    ready = _get_names(_get_entries(loaded, "models"), "name")
    models = ready + tuple(name for name in _get_names(tags, "name") if name not in ready)
    used = next((name for name in models if name in (options.named, f"{options.named}:latest")), None)
    used = used or next(iter(models), "")
    largest = await _find_largest_window(get, used) if used else 0
    windows = {used: min(options.context, largest)} if largest else {}
    found = _build_capabilities("Ollama", models, windows, default=options.context)
    sizes = _get_sizes(
        [*_get_entries(loaded, "models"), *tags], name="name", part="details", size="parameter_size"
    )
    return replace(found, stated_sizes=sizes, wire_format=OLLAMA)


async def _fetch_tags(get: FetchJson) -> list[dict[str, Any]]:
    try:
        tags = await get("/api/tags")
    except MalformedResponse:
        raise WrongAddress from None
    if not isinstance(tags, dict) or "models" not in tags:
        raise WrongAddress
    return _get_entries(tags, "models")


async def _find_largest_window(get: FetchJson, model: str) -> int:
    """Return the largest context window, in tokens, that a model of Ollama supports; 0 if unknown."""
    try:
        shown = await get("/api/show", {"model": model})
    except ModelError:
        return 0
    facts = shown.get("model_info") if isinstance(shown, dict) else None
    if not isinstance(facts, dict):
        return 0
    lengths = (value for name, value in facts.items() if name.endswith(".context_length"))
    return max((_parse_positive_int(value, 0) for value in lengths), default=0)


def _parse_llama_cpp(entries: list[dict[str, Any]], props: dict[str, Any]) -> ServerCapabilities:
    defaults = props["default_generation_settings"]
    window = defaults.get("n_ctx") if isinstance(defaults, dict) else None
    return ServerCapabilities(
        kind="llama.cpp",
        models=_get_names(entries),
        context_window=_parse_positive_int(window, UNKNOWN_WINDOW),
        slots=_parse_positive_int(props.get("total_slots"), 1),
        counts_tokens=True,
        stated_sizes=_get_sizes(entries, name="id", part="meta", size="n_params"),
    )


def _parse_lm_studio(entries: list[dict[str, Any]]) -> ServerCapabilities:
    writers = [entry for entry in entries if entry.get("type") != "embeddings"]
    writers.sort(key=lambda entry: entry.get("state") != "loaded")
    windows = _get_windows(writers, name="id", window="loaded_context_length")
    # A model that is not loaded yet will get LM Studio's default window, not its largest one.
    found = _build_capabilities("LM Studio", _get_names(writers), windows, default=UNKNOWN_WINDOW)
    return replace(found, stated_sizes=_get_sizes(writers, name="id", size="params_string"))


def _parse_ollama(
    entries: list[dict[str, Any]], loaded: list[dict[str, Any]], tags: list[dict[str, Any]]
) -> ServerCapabilities:
    ready = _get_names(loaded, "name")
    rest = tuple(name for name in _get_names(entries) if name not in ready)
    windows = _get_windows(loaded, name="name", window="context_length")
    found = _build_capabilities("Ollama", ready + rest, windows, default=OLLAMA_DEFAULT_WINDOW)
    sizes = _get_sizes([*loaded, *tags], name="name", part="details", size="parameter_size")
    return replace(found, stated_sizes=sizes)


def _get_sizes(entries: list[dict[str, Any]], *, name: str, size: str, part: str = "") -> dict[str, int]:
    """Return the number of parameters by model: the field `size` of an entry, or of its object `part`."""
    sizes = {}
    for entry in entries:
        stating = entry.get(part) if part else entry
        parameters = parse_size(stating.get(size)) if isinstance(stating, dict) else None
        if parameters and isinstance(entry.get(name), str):
            sizes[entry[name]] = parameters
    return sizes


def _get_windows(entries: list[dict[str, Any]], *, name: str, window: str) -> dict[str, int]:
    return {
        entry[name]: _parse_positive_int(entry.get(window), 0)
        for entry in entries
        if isinstance(entry.get(name), str)
    }


def _build_capabilities(
    kind: str, models: tuple[str, ...], known: dict[str, int], *, default: int
) -> ServerCapabilities:
    windows = {model: known.get(model) or default for model in models}
    window = next(iter(windows.values()), default)
    return ServerCapabilities(kind=kind, models=models, context_window=window, windows=windows)


def _parse_other_server(entries: list[dict[str, Any]]) -> ServerCapabilities:
    first = entries[0] if entries else {}
    is_vllm = first.get("owned_by") == "vllm" or "max_model_len" in first
    # A server with continuous batching has no fixed slots; four at once stay quick enough.
    return ServerCapabilities(
        kind="vLLM" if is_vllm else "other",
        models=_get_names(entries),
        context_window=_parse_positive_int(first.get("max_model_len"), UNKNOWN_WINDOW),
        slots=4 if is_vllm else 1,
    )
