"""One piece of model work under way: what came so far, where it stands, who listens.

    waiting -> writing -> done          reason: "" or "length" (cut at its limit)
                       -> stopped       somebody pressed Stop
                       -> interrupted   locked, closing, crashed: not the model's doing
                       -> failed        reason: the code of a ModelError, "empty", "internal"

A job may also end out of `waiting`. It is changed on its event loop only; any thread may read it.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar
from uuid import UUID

from django.db.models import TextChoices

from llamora.crypto import Keyring
from llamora.llm.deltas import ChatMessages, Delta


class JobState(TextChoices):
    """The states of a job, and of the row it writes. All but `waiting` and `writing` are final."""

    WAITING = "waiting", "Waiting"
    WRITING = "writing", "Writing"
    DONE = "done", "Done"
    STOPPED = "stopped", "Stopped"
    INTERRUPTED = "interrupted", "Interrupted"
    FAILED = "failed", "Failed"


LIVE_STATES = frozenset({JobState.WAITING, JobState.WRITING})


@dataclass(frozen=True, kw_only=True)
class JobOutcome:
    """What is to be kept of a job: the text so far, where it stands and why."""

    text: str
    state: JobState
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """What is sent, how many tokens may come back, and the JSON schema of the answer where it has one."""

    messages: ChatMessages
    max_tokens: int
    schema: dict[str, Any] | None = None


class TokenCounter(Protocol):
    """What `compose` needs to know of a model server."""

    @property
    def offer(self) -> Any: ...

    async def count_message_tokens(self, turns: ChatMessages) -> int: ...


class GenerationTask(Protocol):
    """What a job is for. All but `compose` run in a database thread with the job's keyring in force.

    `root`, `keep` and `mark` run inside a transaction, perhaps twice: the first may be rolled back.
    """

    @property
    def id(self) -> UUID: ...

    @property
    def owner_id(self) -> UUID: ...

    def create_row(self) -> None:
        """Write the row it is kept in, or put an old one back to its beginning.

        Raise VaultLocked if its owner has locked between asking and the beginning of the job.
        """

    async def build_prompt(self, server: TokenCounter, *, share: float) -> Prompt:
        """Fit what is to be read to the server's window, of which only `share` is used."""

    def save(self, outcome: JobOutcome) -> None:
        """Seal and write it; raise Gone when its row is no more."""

    def set_state(self, outcome: JobOutcome) -> None:
        """Write state and reason alone, which needs no key."""


class RowDeleted(Exception):  # noqa: N818 - states what happened
    """The row a job writes to was deleted."""


JobListener = Callable[[], None]


class JobAttachment(Protocol):
    """An object that the readers of a job share, such as a rendering; it lives as long as the job."""

    def __init__(self, job: "Job") -> None: ...


AttachmentT = TypeVar("AttachmentT", bound=JobAttachment)


class Job:
    """What one errand has come to so far."""

    def __init__(self, *, task: GenerationTask, keyring: Keyring, model: str = "") -> None:
        self.task = task
        # What its owner wants asked, where the server has it.
        self.model = model
        self.keyring = keyring
        self.state = JobState.WAITING
        self.reason = ""
        self.position = 0
        self.seq = 0
        self.restarts = 0
        self.is_thinking = False
        self.is_saved = True
        self._attachments: dict[type[JobAttachment], JobAttachment] = {}
        self._pieces: list[str] = []
        # What it thinks before it writes: for who watches, never kept anywhere.
        self._thoughts: list[str] = []
        self._listeners: list[JobListener] = []

    @property
    def id(self) -> UUID:
        return self.task.id

    @property
    def owner_id(self) -> UUID:
        return self.task.owner_id

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come."""
        return self.state not in LIVE_STATES

    @property
    def text(self) -> str:
        """Everything so far."""
        return "".join(self._pieces)

    def text_since(self, piece: int) -> tuple[str, int]:
        """What came after so many pieces, and how many there are now."""
        count = len(self._pieces)
        return "".join(self._pieces[piece:count]), count

    def thoughts_since(self, piece: int) -> tuple[str, int]:
        """What it thought after so many pieces, and how many there are now."""
        count = len(self._thoughts)
        return "".join(self._thoughts[piece:count]), count

    def get_attachment(self, kind: type[AttachmentT]) -> AttachmentT:
        """Return the job's one attachment of a class, created at the first call. Called on the job's loop."""
        attachment = self._attachments.get(kind)
        if not isinstance(attachment, kind):
            attachment = self._attachments[kind] = kind(self)
        return attachment

    def subscribe(self, listener: JobListener) -> Callable[[], None]:
        """Call `listener` on the loop at every change, however small; returns what ends that."""
        self._listeners.append(listener)

        def leave() -> None:
            with suppress(ValueError):
                self._listeners.remove(listener)

        return leave

    def append_delta(self, delta: Delta) -> None:
        """Add what one read of the network brought. On the hot path: no more than this."""
        if delta.withdraw:
            self._restart("")
        if delta.text:
            self._pieces.append(delta.text)
            self.is_thinking = False
        elif delta.thought:
            self.is_thinking = True
        if delta.thought:
            self._thoughts.append(delta.thought)
        self._notify()

    def truncate(self, text: str) -> None:
        """Keep only this much of what came."""
        self._restart(text)
        self._notify()

    def set_position(self, place: int) -> None:
        """Take a place in the queue."""
        self.position = place
        self._notify()

    def start(self) -> None:
        """The model has it now: to be told with its first words, or at once to those who saw a queue."""
        had_place, self.state, self.position = self.position > 0, JobState.WRITING, 0
        if had_place:
            self._notify()

    def finish(self, outcome: JobOutcome, *, is_kept: bool) -> None:
        """Nothing more will come; `is_kept` says whether it could be written."""
        self.state, self.reason, self.is_saved, self.position = outcome.state, outcome.reason, is_kept, 0
        self._thoughts = []
        self._notify()

    def _restart(self, text: str) -> None:
        # A new list, because a page's thread may be joining the old one.
        self._pieces = [text] if text else []
        self.restarts += 1

    def _notify(self) -> None:
        self.seq += 1
        for listener in self._listeners:
            listener()
