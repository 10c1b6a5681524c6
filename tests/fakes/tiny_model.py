"""A real, tiny, random model for a real llama.cpp, written by the shared example's own code."""

import subprocess
import sys
from pathlib import Path


def write_tiny_model(shared: Path, folder: Path) -> Path:
    """The path of a `.gguf` of half a megabyte, written once per folder."""
    path = folder / "tiny.gguf"
    if not path.exists():
        subprocess.run([sys.executable, str(shared / "examples/tiny_gguf.py"), str(path)], check=True)
    return path
