"""Settings of the language model, read from Django's settings, and the lookup of its `.gguf` file."""

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from llamora.inference.status import ModelUnavailable

USUAL_ADDRESSES = (
    "http://127.0.0.1:8080",
    "http://127.0.0.1:11434",
    "http://127.0.0.1:1234",
    "http://127.0.0.1:8000",
)
"""The default addresses of llama.cpp, Ollama, LM Studio and vLLM."""


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """Settings of the language model: its server, its file, its context window."""

    off: bool = False
    url: str = ""
    name: str = ""
    api_key: str = ""
    file: str = ""
    models_folder: Path
    allow_remote: bool = False
    context: int = 8192
    parallel: int = 2
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
            context=settings.MODEL_CONTEXT,
            parallel=settings.MODEL_PARALLEL,
            usual_addresses=tuple(getattr(settings, "MODEL_USUAL_ADDRESSES", USUAL_ADDRESSES)),
        )

    def find_model_file(self) -> Path | None:
        """Return the .gguf file to run, or None; raise ModelUnavailable if a configured file is missing."""
        if self.file:
            path = Path(self.file).expanduser().resolve()
            if not path.is_file():
                raise ModelUnavailable("no_file")
            return path
        files = sorted(path for path in self.models_folder.glob("*.gguf") if _is_model_file(path.name))
        named = [path for path in files if self.name and self.name in (path.name, path.stem)]
        return next(iter(named or files), None)


def _is_model_file(name: str) -> bool:
    """Return whether a file holds a model; image projectors and later parts of split files do not."""
    later_part = "-of-" in name and "-00001-of-" not in name
    return not (later_part or name.startswith("mmproj"))
