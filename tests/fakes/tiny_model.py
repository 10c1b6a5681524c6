"""A tiny random model file for a real llama.cpp."""

import subprocess
import sys
from pathlib import Path


def write_tiny_model(shared: Path, folder: Path) -> Path:
    """Return the path of a `.gguf` file of half a megabyte, written once per folder."""
    path = folder / "tiny.gguf"
    if not path.exists():
        subprocess.run([sys.executable, str(shared / "examples/tiny_gguf.py"), str(path)], check=True)
    return path
