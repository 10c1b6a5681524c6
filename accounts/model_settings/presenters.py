"""Files of models as the page shows them: what is in each, or why it is of no use."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from llamora.llm.model_files.gguf import UnreadableModelFile, read_gguf
from llamora.llm.model_files.size import is_too_small

_FILE_FAULTS: Final = {
    "no_gguf": "This is not a .gguf file.",
    "damaged": "This file is damaged. Download it again.",
    "unsupported": "Llamora can't read this kind of .gguf file.",
    "incomplete": "A part of this file is missing. It may still be copied; if not, download it again.",
}
_NO_TEXT: Final = "This model does not write text."
_TOO_SMALL: Final = "Too small to answer a diary; 3 to 8 billion parameters are needed."


@dataclass(frozen=True, kw_only=True)
class ModelFileView:
    """Template data of a file in the folder of models; `note` says why it is not useful, if so."""

    name: str
    size: int
    billions: str = ""
    context_window: int = 0
    quantisation: str = ""
    note: str = ""


def build_file_view(path: Path) -> ModelFileView:
    """Return the template data of a file; raise OSError."""
    try:
        facts = read_gguf(path)
    except UnreadableModelFile as error:
        return ModelFileView(name=path.name, size=path.stat().st_size, note=_FILE_FAULTS.get(error.code, ""))
    note = _TOO_SMALL if is_too_small(facts.parameters or None) else ""
    return ModelFileView(
        name=path.name,
        size=facts.size,
        billions=f"{facts.parameters / 1e9:.1f}" if facts.parameters else "",
        context_window=facts.context_window,
        quantisation=facts.quantisation,
        note=note if facts.writes_text else _NO_TEXT,
    )
