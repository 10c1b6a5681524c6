"""Selection of the model: by a setting or option, else the household's choice, else the first one found.

LLAMORA_MODEL_URL     a server; the choice may name one of its models if LLAMORA_MODEL_NAME does not
LLAMORA_MODEL_FILE    a file
LLAMORA_MODEL_NAME    a file in the folder models, or a model of the server that is found
choice.json           a file, or a server and one of its models
none of these         the first file in the folder models, or the first server that is found
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from llamora.inference.config import ModelConfig
from llamora.inference.model_choice.choice_file import ModelChoice, read_choice
from llamora.inference.model_choice.errors import ChoiceRefused
from llamora.inference.model_choice.model_files import ModelFile, list_model_files

CHOICE: Final = "choice"


@dataclass(frozen=True, kw_only=True)
class Selection:
    """The selected model: a file, or a server; with neither, the first file or server found.

    model        the name of the model; without a file or server, the name that a found one must have
    wire_format  the name of the server's wire format, if the household has chosen it
    decided_by   the deciding setting or option, "choice" for the household's choice, or ""
    problem      a code of `errors` if the choice is unreadable, or ""
    """

    file: Path | None = None
    url: str = ""
    model: str = ""
    wire_format: str = ""
    decided_by: str = ""
    problem: str = ""

    @property
    def setting(self) -> str:
        """The setting or option that fixes the model; "" if the household may choose it."""
        return "" if self.decided_by == CHOICE else self.decided_by


def select_model(config: ModelConfig) -> Selection:
    """Return the model that the present settings and choice select."""
    choice, problem = ModelChoice(), ""
    try:
        choice = read_choice(config.models_folder)
    except ChoiceRefused as refusal:
        problem = refusal.code
    if config.url:
        chosen = choice.model if choice.url == config.url else ""
        by = config.decided_by or "LLAMORA_MODEL_URL"
        return Selection(url=config.url, model=config.name or chosen, decided_by=by, problem=problem)
    if config.file:
        by = config.decided_by or "LLAMORA_MODEL_FILE"
        return Selection(file=Path(config.file).expanduser().resolve(), decided_by=by)
    if config.name:
        return Selection(model=config.name, decided_by=config.decided_by or "LLAMORA_MODEL_NAME")
    if choice:
        return Selection(
            file=choice.get_path(config.models_folder),
            url=choice.url,
            model=choice.model,
            wire_format=choice.wire_format,
            decided_by=CHOICE,
        )
    return Selection(problem=problem)


def list_candidates(config: ModelConfig, selection: Selection) -> list[ModelFile]:
    """Return the usable files in the folder `models`; if some have the selected name, only those.

    If nothing is selected, the first one is used.
    """
    files = [file for file in list_model_files(config.models_folder) if not file.problem]
    if selection.model:
        named = [file for file in files if file.has_name(selection.model)]
        return named or files
    return files
