"""What is known of the model: off, looking, loading, ready, away."""

from dataclasses import dataclass

from llamora.inference.messages import get_message
from llamora.llm.errors import ModelError


class ModelUnavailable(ModelError):  # noqa: N818 - named for what is the case, as all of them
    """There is no model to be had just now; `code` says why."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__()


@dataclass(frozen=True, kw_only=True)
class ModelStatus:
    """What is known of the model right now."""

    state: str
    code: str
    message: str
    model: str = ""
    # All that may be asked for by name; of a server that has but one, none.
    models: tuple[str, ...] = ()
    remote: bool = False

    @property
    def is_ready(self) -> bool:
        return self.state == "ready"


def status_for_code(code: str) -> ModelStatus:
    """The status for a code that is not `ready`."""
    state = code if code in ("off", "looking", "loading") else "away"
    return ModelStatus(state=state, code=code, message=get_message(code))
