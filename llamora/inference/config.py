"""Settings of the language model, read from the Django settings."""

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from llamora.llm.formats.wire_format import AUTO

USUAL_ADDRESSES = (
    "http://127.0.0.1:8080",
    "http://127.0.0.1:11434",
    "http://127.0.0.1:1234",
    "http://127.0.0.1:8000",
)
"""The default addresses of llama.cpp, Ollama, LM Studio and vLLM."""


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """Settings of the language model: its server, its file, its context window.

    wire_format  the name of the wire format of the server, or "auto"
    unload_after the idle time after which Ollama unloads a model; Ollama's default if empty
    decided_by   the command-line option that overrides the settings of server, file and name
    threads      processor threads for a model that Llamora runs; 0 for a number that suits the machine
    gpu_layers   number of layers on the graphics card; -1 for as many as fit
    """

    off: bool = False
    url: str = ""
    name: str = ""
    api_key: str = ""
    file: str = ""
    models_folder: Path
    allow_remote: bool = False
    wire_format: str = AUTO
    unload_after: str = ""
    context: int = 8192
    parallel: int = 2
    threads: int = 0
    gpu_layers: int = -1
    decided_by: str = ""
    usual_addresses: tuple[str, ...] = USUAL_ADDRESSES

    @classmethod
    def from_settings(cls) -> "ModelConfig":
        return cls(
            url=settings.MODEL_URL,
            name=settings.MODEL_NAME,
            api_key=settings.MODEL_API_KEY,
            file=settings.MODEL_FILE,
            models_folder=settings.DATA_DIR / "models",
            allow_remote=settings.MODEL_ALLOW_REMOTE,
            wire_format=settings.MODEL_FORMAT,
            unload_after=settings.MODEL_UNLOAD_AFTER,
            context=settings.MODEL_CONTEXT,
            parallel=settings.MODEL_PARALLEL,
            threads=settings.MODEL_THREADS,
            gpu_layers=settings.MODEL_GPU_LAYERS,
            usual_addresses=tuple(getattr(settings, "MODEL_USUAL_ADDRESSES", USUAL_ADDRESSES)),
        )
