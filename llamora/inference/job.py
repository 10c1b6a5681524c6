"""A job: one generation of text, with its task, its state, its text so far and its listeners.

    waiting -> writing -> done          reason: "" or "length" (cut at its limit)
                       -> stopped       by its owner
                       -> interrupted   "locked", "closing", "crashed", ...: not ended by the model
                       -> failed        reason: the code of a ModelError, "empty", "internal"

A job may also end from `waiting`. Only its event loop changes a job; any thread may read it.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Final, NamedTuple, Protocol, TypeVar
from uuid import UUID

from django.db.models import TextChoices

from llamora.crypto import KeyId, RealmKeyring
from llamora.llm.deltas import ChatMessages, Delta
from llamora.llm.requests.sampling import Sampling


class JobState(TextChoices):
    """State of a job, and of the row with its result; all but `waiting` and `writing` are final."""

    WAITING = "waiting", "Waiting"
    WRITING = "writing", "Writing"
    DONE = "done", "Done"
    STOPPED = "stopped", "Stopped"
    INTERRUPTED = "interrupted", "Interrupted"
    FAILED = "failed", "Failed"


LIVE_STATES = frozenset({JobState.WAITING, JobState.WRITING})


@dataclass(frozen=True, kw_only=True)
class Author:
    """The author of a generated text: names of the model, of its host, and of the version of the prompt.

    `host` is empty if the model ran on Llamora's own machine.
    """

    model: str = ""
    host: str = ""
    prompt: str = ""


UNKNOWN_AUTHOR: Final = Author()


@dataclass(frozen=True, kw_only=True)
class JobOutcome:
    """The result of a job as it is saved: the text so far, its author, state and reason."""

    text: str
    state: JobState
    reason: str = ""
    author: Author = UNKNOWN_AUTHOR


class Cut(NamedTuple):
    """Decision of an output check to cut off a generated text after its first `length` characters.

    The reason is empty if the remaining text is complete.
    """

    length: int
    reason: str


class OutputCheck(Protocol):
    """Interface of output checks, which read a text during its generation and may cut the text off."""

    def feed(self, text: str) -> Cut | None:
        """Check the next piece of a text. Return a Cut if the text must be cut off, otherwise None."""

    def restart(self) -> None:
        """Discard the text so far, because it was the model's thinking."""

    def finish(self) -> Cut | None:
        """Check the end of a complete text. Return a Cut if the text must be cut off, otherwise None."""


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """Messages for the model, with the limits, sampling and output check of the reply.

    max_tokens        the limit of the output
    thinking_tokens   the limit of the model's thinking, in addition to `max_tokens`
    schema            the JSON schema of the output, if any
    temperature       the sampling temperature; the server's default if None
    uses_sampling     whether all of the owner's sampling parameters apply; otherwise only those of thinking
    label             name and version of the prompt, as in "recap 2"
    entries           the number of diary entries in the prompt
    """

    messages: ChatMessages
    max_tokens: int
    thinking_tokens: int = 0
    schema: dict[str, Any] | None = None
    temperature: float | None = None
    uses_sampling: bool = False
    label: str = ""
    entries: int = 0
    check: OutputCheck | None = None


class TokenCounter(Protocol):
    """Interface of the part of a model server that `build_prompt` uses: capabilities and token counts."""

    @property
    def offer(self) -> Any: ...

    @property
    def thinking_tokens(self) -> int: ...

    async def count_message_tokens(self, messages: ChatMessages) -> int: ...


class GenerationTask(Protocol):
    """Base class of tasks: builds the prompt of a job, and saves the result.

    `has_existing_row` says whether the caller has created the row for this job; then the end of the job is
    saved in it even if `create_row` fails.

    All methods but `build_prompt` run in a database thread and in a transaction; they run again if the first
    transaction is rolled back. The keyring of the job is in force, except during `set_state`.
    """

    has_existing_row: ClassVar[bool]

    @property
    def id(self) -> UUID: ...

    @property
    def owner_id(self) -> UUID: ...

    def create_row(self) -> None:
        """Create the row of the result, or reset an existing one.

        Raise VaultLocked if the owner's vault was locked after the job was requested.
        """

    async def build_prompt(self, server: TokenCounter, *, share: float) -> Prompt:
        """Build a prompt that fits into the fraction `share` of the server's context window."""

    def save(self, outcome: JobOutcome) -> None:
        """Encrypt and save the outcome; raise RowDeleted if the row was deleted."""

    def set_state(self, outcome: JobOutcome) -> None:
        """Save only the state and its reason, for which no key is needed."""


class RowDeleted(Exception):  # noqa: N818 - states what happened
    """Raised when the row of a job was deleted."""


JobListener = Callable[[], None]


class JobAttachment(Protocol):
    """Interface of an attachment: an object that is created once for a job, and belongs to the job.

    An example is the HTML rendering of the job's text, which all browser tabs share.
    """

    def __init__(self, job: "Job") -> None: ...


AttachmentT = TypeVar("AttachmentT", bound=JobAttachment)


class Job:
    """One generation of text: its task, its state and its text so far."""

    def __init__(
        self,
        *,
        task: GenerationTask,
        keyring: RealmKeyring,
        model: str = "",
        sampling: Sampling = MappingProxyType({}),
        allowed_host: str = "",
    ) -> None:
        self.task = task
        # The only other machine to which it may be sent: where the model was when it was begun.
        self.allowed_host = allowed_host
        # The model its owner has chosen, used where the server has it.
        self.model = model
        # The sampling parameters that apply to its owner.
        self.sampling = sampling
        self.keyring = keyring
        # Also known once the keyring is closed, which that of a program says nothing of any more.
        self._key_id = keyring.key_id
        self.author = UNKNOWN_AUTHOR
        # The machine to which its prompt is sent or was sent; empty for this one, and until that is known.
        self.host = ""
        self.state = JobState.WAITING
        self.reason = ""
        self.position = 0
        self.seq = 0
        self.restarts = 0
        self.is_thinking = False
        # How many entries the model reads, from when its prompt is built until it writes.
        self.entries_read = 0
        self.is_saved = True
        self._attachments: dict[type[JobAttachment], JobAttachment] = {}
        self._pieces: list[str] = []
        # What the model thinks before it writes: shown to open tabs, never saved.
        self._thoughts: list[str] = []
        self._listeners: list[JobListener] = []

    @property
    def id(self) -> UUID:
        return self.task.id

    @property
    def owner_id(self) -> UUID:
        return self.task.owner_id

    @property
    def key_id(self) -> KeyId:
        """The identity of the job's key; only a page with the same key may show the text."""
        return self._key_id

    @property
    def is_over(self) -> bool:
        """Whether the job has ended."""
        return self.state not in LIVE_STATES

    @property
    def text(self) -> str:
        """The text so far."""
        return "".join(self._pieces)

    def text_since(self, start: int) -> tuple[str, int]:
        """Return the text after the first `start` pieces (one per delta), and the number of all pieces."""
        count = len(self._pieces)
        return "".join(self._pieces[start:count]), count

    def thoughts_since(self, start: int) -> tuple[str, int]:
        """Return the model's thinking after the first `start` pieces, and the number of all pieces."""
        count = len(self._thoughts)
        return "".join(self._thoughts[start:count]), count

    def get_attachment(self, kind: type[AttachmentT]) -> AttachmentT:
        """Return the job's attachment of this class; create it if needed. Call it on the job's event loop."""
        attachment = self._attachments.get(kind)
        if not isinstance(attachment, kind):
            attachment = self._attachments[kind] = kind(self)
        return attachment

    def subscribe(self, listener: JobListener) -> Callable[[], None]:
        """Call `listener` on the event loop at every change; return a function that unsubscribes it."""
        self._listeners.append(listener)

        def unsubscribe() -> None:
            with suppress(ValueError):
                self._listeners.remove(listener)

        return unsubscribe

    def append_delta(self, delta: Delta) -> None:
        """Append the text of one network read; called for every read, so it must be fast."""
        if delta.withdraw:
            self._replace_text("")
        if delta.text:
            self._pieces.append(delta.text)
            self.is_thinking = False
            self.entries_read = 0
        elif delta.thought:
            self.is_thinking = True
        if delta.thought:
            self._thoughts.append(delta.thought)
        self._notify()

    def truncate(self, text: str) -> None:
        """Replace the text so far with a shorter text."""
        self._replace_text(text)
        self._notify()

    def set_position(self, position: int) -> None:
        """Set the position in the queue, from 1; 0 if the job does not wait."""
        self.position = position
        self._notify()

    def set_entries_read(self, entries: int) -> None:
        """Set the number of entries in the prompt, to be shown until the first text arrives."""
        self.entries_read = entries
        self._notify()

    def start(self) -> None:
        """Set the state to `writing`, and call the listeners if the job had a position in the queue.

        Otherwise they are called at the next change.
        """
        was_queued, self.state, self.position = self.position > 0, JobState.WRITING, 0
        if was_queued:
            self._notify()

    def finish(self, outcome: JobOutcome, *, is_saved: bool) -> None:
        """End the job with an outcome; `is_saved` is False if the outcome could not be saved."""
        self.state, self.reason, self.is_saved, self.position = outcome.state, outcome.reason, is_saved, 0
        self._thoughts = []
        self._notify()

    def _replace_text(self, text: str) -> None:
        # A new list, because the thread of a page may be joining the old one.
        self._pieces = [text] if text else []
        self.restarts += 1

    def _notify(self) -> None:
        self.seq += 1
        for listener in self._listeners:
            listener()
