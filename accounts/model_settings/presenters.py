"""The model files of the household as the page *Settings, Model* shows them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from llamora.inference.model_choice.catalogue import format_gigabytes, format_parameters
from llamora.inference.model_choice.services import FileEntry

_TOO_SMALL: Final = "Too small to answer a diary; 3 to 8 billion parameters are needed."


@dataclass(frozen=True, kw_only=True)
class ModelFileView:
    """Template data of a model file. `facts` describes the file, and `note` its problem, if it has one."""

    name: str
    # What a form sends: the name, or the path of a file that lies elsewhere.
    value: str
    facts: str
    note: str
    can_choose: bool
    is_chosen: bool
    is_in_use: bool


def build_file_views(entries: Iterable[FileEntry]) -> list[ModelFileView]:
    """Return the model files as the template shows them."""
    return [
        ModelFileView(
            name=entry.file.name,
            value=str(entry.file.path),
            facts=_describe_facts(entry),
            note=entry.file.sentence or (_TOO_SMALL if entry.file.is_too_small else ""),
            can_choose=not entry.file.problem and not entry.is_chosen,
            is_chosen=entry.is_chosen,
            is_in_use=entry.is_in_use,
        )
        for entry in entries
    ]


def _describe_facts(entry: FileEntry) -> str:
    size, facts = format_gigabytes(entry.file.size), entry.file.facts
    if facts is None:
        return size
    parts = [
        size,
        format_parameters(facts.parameters) if facts.parameters else "",
        facts.quantisation,
        f"reads up to {facts.context_window:,} tokens" if facts.context_window else "",
    ]
    return ", ".join(filter(None, parts))
