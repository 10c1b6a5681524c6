"""Status of the model: off, looking for its server, loading, ready, or away (not available)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from llamora.inference.messages import get_message, ready_message
from llamora.llm.errors import ModelError
from llamora.llm.model_files.size import is_too_small


class ModelUnavailable(ModelError):  # noqa: N818 - states what is the case
    """Raised when no model is available; `code` is the reason."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__()


@dataclass(frozen=True, kw_only=True)
class ModelStatus:
    """Status of the model: its state, the code of the reason, and a message for people."""

    state: str
    code: str
    message: str
    model: str = ""
    # The models a person may choose from; empty for a server that has only one.
    models: tuple[str, ...] = ()
    # Where a ready model runs, in words.
    server: str = ""
    # Whether that is another machine.
    remote: bool = False
    # The name of that machine, and the origin of its server; empty for this one.
    host: str = ""
    origin: str = ""
    # The name of the format in which replies are requested.
    wire_format: str = ""
    # The number of parameters of each model whose size is known.
    parameters: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_missing(self) -> bool:
        """Whether there is no model and none is expected."""
        return self.state in ("off", "away")

    @property
    def is_ready(self) -> bool:
        return self.state == "ready"

    def get_model_for(self, chosen: str) -> str:
        """Return the model that a person has chosen if the server has it, else the household's model."""
        return chosen if chosen in self.models else self.model

    def is_too_small_for(self, chosen: str) -> bool:
        """Return whether the model that a person uses is too small for a diary.

        `chosen` is the name of the model that the person has chosen, or "" if none is chosen.
        """
        return is_too_small(self.parameters.get(self.get_model_for(chosen)))

    def get_message_for(self, chosen: str) -> str:
        """Return the message for a person. `chosen` is the model that the person chose, or "" if none."""
        if not self.is_ready:
            return self.message
        return ready_message(
            model=self.get_model_for(chosen),
            server=self.server,
            host=self.host,
            is_too_small=self.is_too_small_for(chosen),
        )


def status_for_code(code: str) -> ModelStatus:
    """Return the status for any code but `ready`."""
    state = "loading" if code == "switching" else code
    state = state if state in ("off", "looking", "loading") else "away"
    return ModelStatus(state=state, code=code, message=get_message(code))
