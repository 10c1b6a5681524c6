"""A task that records what its job saves, and a keyring for it."""

import threading
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import ClassVar
from uuid import UUID, uuid4

from llamora.crypto import Context, Keyring, current_keyring
from llamora.inference.job import JobOutcome, Prompt, TokenCounter

OWNER = UUID(int=7)
of_a_request: ContextVar[str] = ContextVar("of_a_request", default="none")


@dataclass
class RecordingTask:
    """A task that records its results in lists."""

    has_existing_row: ClassVar[bool] = False
    id: UUID = field(default_factory=uuid4)
    owner_id: UUID = OWNER
    kept: list[JobOutcome] = field(default_factory=list)
    marked: list[JobOutcome] = field(default_factory=list)
    refusals: list[Exception] = field(default_factory=list)
    root_refusal: Exception | None = None
    threads: set[str] = field(default_factory=set)
    contexts: set[str] = field(default_factory=set)
    sealed: list[bytes] = field(default_factory=list)

    def create_row(self) -> None:
        self._look()
        if self.root_refusal is not None:
            raise self.root_refusal

    async def build_prompt(self, server: TokenCounter, *, share: float) -> Prompt:
        self.contexts.add(of_a_request.get())
        return Prompt(
            messages=[{"role": "user", "content": "hello"}],
            max_tokens=100,
            thinking_tokens=server.thinking_tokens,
        )

    def save(self, outcome: JobOutcome) -> None:
        self._look()
        if self.refusals:
            raise self.refusals.pop(0)
        self.kept.append(outcome)

    def set_state(self, outcome: JobOutcome) -> None:
        self.marked.append(outcome)

    def _look(self) -> None:
        """Record the thread and context, and seal a text with the keyring in force."""
        self.threads.add(threading.current_thread().name)
        self.contexts.add(of_a_request.get())
        context = Context(purpose="test", label="diary.reply.text", row=self.id, owner=self.owner_id)
        self.sealed.append(current_keyring().seal(b"words", context))


def keyring() -> Keyring:
    return Keyring(owner=OWNER, epoch=1, keys={1: bytes(32)})
