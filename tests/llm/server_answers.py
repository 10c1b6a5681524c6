"""Recorded responses of each kind of server to the requests that identify it, and the expected result.

Each is written from the public documentation of the server, without the parts that are not parsed.
"""

from dataclasses import dataclass, field
from typing import Any

from llamora.llm.errors import PathNotFound


@dataclass(frozen=True, kw_only=True)
class ServerAnswers:
    """The responses of a server, its kind, and the number of parameters of each of its models."""

    pages: dict[str, Any]
    kind: str
    parameters: dict[str, int | None] = field(default_factory=dict)

    async def fetch(self, path: str) -> Any:
        """Return the JSON of a page as the client does."""
        if path not in self.pages:
            raise PathNotFound
        return self.pages[path]


def _list_models(*ids: str, **more: Any) -> dict[str, Any]:
    return {"object": "list", "data": [{"id": one, "object": "model", "created": 1, **more} for one in ids]}


def _build_meta(parameters: object) -> dict[str, Any]:
    return {"vocab_type": 2, "n_vocab": 49152, "n_ctx_train": 8192, "n_embd": 576, "n_params": parameters}


_PROPS = {
    "default_generation_settings": {"id": 0, "n_ctx": 4096, "params": {"seed": 4294967295}},
    "total_slots": 2,
    "model_path": "/models/a.gguf",
    "chat_template": "{% for message in messages %}{{ message.content }}{% endfor %}",
}
_TAGS = {
    "models": [
        {
            "name": "llama3.2:latest",
            "model": "llama3.2:latest",
            "size": 2019393189,
            "details": {"format": "gguf", "family": "llama", "parameter_size": "3.2B"},
        },
        {
            "name": "diarist:latest",
            "model": "diarist:latest",
            "size": 91739413,
            "details": {"format": "gguf", "family": "llama", "parameter_size": "134.52M"},
        },
        {"name": "odd:8b", "model": "odd:8b", "details": {"parameter_size": ""}},
        {"name": "odder:1b", "model": "odder:1b", "details": None},
    ]
}

ANSWERS = {
    "llama.cpp": ServerAnswers(
        pages={"/v1/models": _list_models("SmolLM2-8B", meta=_build_meta(134515008)), "/props": _PROPS},
        kind="llama.cpp",
        parameters={"SmolLM2-8B": 134_515_008},
    ),
    "llama.cpp that still loads its model": ServerAnswers(
        pages={"/v1/models": _list_models("qwen2.5-0.5b", meta=None), "/props": _PROPS},
        kind="llama.cpp",
        parameters={"qwen2.5-0.5b": 500_000_000},
    ),
    "llama.cpp with a number that is none": ServerAnswers(
        pages={"/v1/models": _list_models("diarist", meta=_build_meta(True)), "/props": _PROPS},
        kind="llama.cpp",
        parameters={"diarist": None},
    ),
    "Ollama": ServerAnswers(
        pages={
            "/v1/models": _list_models(
                "llama3.2:latest", "diarist:latest", "odd:8b", "odder:1b", owned_by="library"
            ),
            "/api/ps": {"models": [{"name": "llama3.2:latest", "context_length": 4096, "details": {}}]},
            "/api/tags": _TAGS,
        },
        kind="Ollama",
        parameters={
            "llama3.2:latest": 3_200_000_000,
            "diarist:latest": 134_520_000,
            "odd:8b": 8_000_000_000,
            "odder:1b": 1_000_000_000,
        },
    ),
    "Ollama without its list": ServerAnswers(
        pages={
            "/v1/models": _list_models("diarist:latest", "qwen2.5:0.5b"),
            "/api/ps": {"models": [{"name": "diarist:latest", "details": {"parameter_size": "8.0B"}}]},
        },
        kind="Ollama",
        parameters={"diarist:latest": 8_000_000_000, "qwen2.5:0.5b": 500_000_000},
    ),
    "LM Studio": ServerAnswers(
        pages={
            "/v1/models": _list_models("diarist", "gemma-3-1b-it"),
            "/api/v0/models": {
                "data": [
                    {"id": "diarist", "type": "llm", "state": "loaded", "params_string": "7B"},
                    {"id": "gemma-3-1b-it", "type": "vlm", "state": "not-loaded"},
                ]
            },
        },
        kind="LM Studio",
        parameters={"diarist": 7_000_000_000, "gemma-3-1b-it": 1_000_000_000},
    ),
    "vLLM": ServerAnswers(
        pages={
            "/v1/models": _list_models("Qwen/Qwen2.5-0.5B-Instruct", owned_by="vllm", max_model_len=32768)
        },
        kind="vLLM",
        parameters={"Qwen/Qwen2.5-0.5B-Instruct": 500_000_000},
    ),
    "another server": ServerAnswers(
        pages={"/v1/models": _list_models("diarist")}, kind="other", parameters={"diarist": None}
    ),
}
