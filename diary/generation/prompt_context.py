"""The context of a reply's prompt, shortened until it fits into the context window of the model. Pure.

Parts are dropped in this order: notes, the entries of earlier days, earlier entries of the day, earlier
replies, facts, and at last the beginning of the entry itself. Of each kind of text, the oldest is dropped
first; of notes and facts, the least important.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import NamedTuple, TypeVar
from uuid import UUID

from llamora.llm.deltas import ChatMessages
from llamora.llm.errors import PromptTooLong
from llamora.llm.tokens import TOKENS_PER_MESSAGE

CountTokens = Callable[[ChatMessages], Awaitable[int]]
RenderPrompt = Callable[["PromptContext"], ChatMessages]
Part = TypeVar("Part")

# An entry is not shortened to fewer characters than this.
MIN_ENTRY_CHARACTERS = 40


@dataclass(frozen=True, kw_only=True)
class PromptEntry:
    """An entry in a prompt: its text and its time of day. An entry of an earlier day has a `day_label`.

    `is_trusted` is set if its owner wrote it; see `diary.models.Origin`.
    """

    time: str
    text: str
    id: UUID | None = None
    day: date | None = None
    day_label: str = ""
    is_cut: bool = False
    is_trusted: bool = True

    def describe(self) -> dict[str, object]:
        """Return the entry as the JSON object that a prompt shows to the language model."""
        return {
            "day": self.day_label,
            # The time tells the entries of the prompt's own day apart.
            "time": "" if self.day_label else self.time,
            "imported": not self.is_trusted,
            "only_a_part": self.is_cut,
            "text": self.text,
        }


@dataclass(frozen=True, kw_only=True)
class PromptFact:
    """A remembered fact in a prompt."""

    id: UUID
    text: str = field(repr=False)

    def describe(self) -> dict[str, object]:
        """Return the fact as the JSON object that a prompt shows to the language model."""
        return {"fact": self.text}


@dataclass(frozen=True, kw_only=True)
class PromptNote:
    """A trusted note in a prompt, or the part of it that bears on the question.

    `span` is the position of the part in the text of the note, without surrounding white space.
    """

    id: UUID
    name: str = field(repr=False)
    text: str = field(repr=False)
    is_cut: bool = False
    origin: str
    revision: int
    span: tuple[int, int]

    def describe(self) -> dict[str, object]:
        """Return the note as the JSON object that a prompt shows to the language model."""
        return {"note": self.name, "only_a_part": self.is_cut, "text": self.text}


@dataclass(frozen=True, kw_only=True)
class PromptContext:
    """The context of a reply's prompt; `is_cut` is true if the beginning of `entry` was left out."""

    day: date
    entry: PromptEntry
    # The least important first.
    notes: tuple[PromptNote, ...] = ()
    # Entries of earlier days that are read as well.
    recalled: tuple[PromptEntry, ...] = ()
    earlier: tuple[PromptEntry, ...] = ()
    replies: tuple[str, ...] = ()
    # The nearest first; dropped last, since they are short.
    facts: tuple[PromptFact, ...] = ()
    is_cut: bool = False

    def count_parts(self) -> int:
        """Return the number of notes, earlier entries, replies and facts in this context."""
        others = len(self.notes) + len(self.recalled) + len(self.earlier)
        return others + len(self.replies) + len(self.facts)

    def drop_oldest(self, count: int) -> "PromptContext":
        """Return a copy of the context without `count` of its parts: the least important and the oldest.

        Notes are dropped before entries of earlier days. Then follow earlier entries of the day, replies, and
        facts. Of notes and facts, the least important are dropped first.
        """
        of_before = max(0, count - len(self.notes))
        of_day = max(0, of_before - len(self.recalled))
        past = max(0, of_day - len(self.earlier))
        facts = max(0, past - len(self.replies))
        return replace(
            self,
            notes=self.notes[count:],
            recalled=self.recalled[of_before:],
            earlier=self.earlier[of_day:],
            replies=self.replies[past:],
            facts=self.facts[: max(0, len(self.facts) - facts)],
        )

    def shorten_entry(self, length: int) -> "PromptContext":
        """Return the context with only the last `length` characters of the entry, cut between words."""
        end = self.entry.text[-length:]
        _, gap, rest = end.partition(" ")
        text = rest if gap and len(rest) > length // 2 else end
        return replace(self, entry=replace(self.entry, text=text), is_cut=True)


class FittedPrompt(NamedTuple):
    """A prompt that fits into the context window: its messages, and the context that they contain."""

    messages: ChatMessages
    context: PromptContext


def get_token_upper_bound(messages: ChatMessages) -> int:
    """Return an upper bound of the token count: one per byte, plus the tokens of the chat template."""
    contents = (message["content"].encode("utf-8", "surrogatepass") for message in messages)
    return sum(len(content) + TOKENS_PER_MESSAGE for content in contents)


async def fit_to_window(
    context: PromptContext, *, limit: int, render: RenderPrompt, count: CountTokens
) -> FittedPrompt:
    """Return a prompt with as much context as fits into `limit` tokens; raise PromptTooLong if none fits."""

    async def try_to_fit(candidate: PromptContext) -> FittedPrompt | None:
        messages = render(candidate)
        return FittedPrompt(messages, candidate) if await _fits(messages, limit=limit, count=count) else None

    if best := await try_to_fit(context):
        return best
    too_few, enough = 0, context.count_parts()
    bare = context.drop_oldest(enough)
    if (best := await try_to_fit(bare)) is None:
        return await _fit_end(bare, limit=limit, render=render, count=count)
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        if fitted := await try_to_fit(context.drop_oldest(middle)):
            enough, best = middle, fitted
        else:
            too_few = middle
    return best


async def fit_latest(
    parts: Sequence[Part],
    *,
    limit: int,
    render: Callable[[Sequence[Part]], ChatMessages],
    shorten: Callable[[Part], Part | None],
    count: CountTokens,
) -> tuple[ChatMessages, Sequence[Part]]:
    """Return a prompt with the latest parts that fit into `limit` tokens; raise PromptTooLong if none fits.

    Also return these parts. A single part that does not fit is shortened by `shorten`, which returns None if
    the part is too short for that.
    """
    while parts:
        messages = render(parts)
        if await _fits(messages, limit=limit, count=count):
            return messages, parts
        if len(parts) > 1:
            # An eighth at a time: a day of a hundred entries is not counted a hundred times.
            parts = parts[max(1, len(parts) // 8) :]
        else:
            shorter = shorten(parts[0])
            parts = [shorter] if shorter is not None else []
    raise PromptTooLong


async def fit_evenly(
    parts: Sequence[Part],
    *,
    limit: int,
    render: Callable[[Sequence[Part]], ChatMessages],
    lengths: Sequence[int],
    cut: Callable[[Part, int], Part],
    shorten: Callable[[Part], Part | None],
    count: CountTokens,
) -> tuple[ChatMessages, Sequence[Part]]:
    """Return a prompt with all parts, cut to one length so that the prompt fits, and the parts as cut.

    The first of `lengths` is used with which the prompt has at most `limit` tokens.
    If none of the lengths is short enough, cut all parts to the last length, and keep as many of the latest
    as fit, as `fit_latest` does. Raise PromptTooLong.
    """
    shortest = parts
    for length in lengths:
        shortest = [cut(part, length) for part in parts]
        messages = render(shortest)
        if await _fits(messages, limit=limit, count=count):
            return messages, shortest
    return await fit_latest(shortest, limit=limit, render=render, shorten=shorten, count=count)


async def _fits(messages: ChatMessages, *, limit: int, count: CountTokens) -> bool:
    # To have the server count takes two requests: not needed where even the upper bound fits.
    return get_token_upper_bound(messages) <= limit or await count(messages) <= limit


async def _fit_end(
    context: PromptContext, *, limit: int, render: RenderPrompt, count: CountTokens
) -> FittedPrompt:
    """Return a prompt with about the longest end of the entry that fits, found in a few steps."""
    overhead = await count(render(replace(context, entry=replace(context.entry, text=""), is_cut=True)))
    length = len(context.entry.text)
    tokens = await count(render(context))
    while limit > overhead:
        length = min(int(length * (limit - overhead) / max(1, tokens - overhead)), int(length * 0.95))
        if length < MIN_ENTRY_CHARACTERS:
            break
        shorter = context.shorten_entry(length)
        messages = render(shorter)
        length, tokens = len(shorter.entry.text), await count(messages)
        if tokens <= limit:
            return FittedPrompt(messages, shorter)
    raise PromptTooLong
