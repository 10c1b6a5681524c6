"""What the model is given to read: the day so far up to an entry, and never more than fits its window. Pure.

What does not fit is left out from its oldest end: entries of days before first, then earlier ones of the day,
then earlier replies, and last the beginning of the entry itself.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple, TypeVar
from uuid import UUID

from llamora.llm.deltas import ChatMessages
from llamora.llm.errors import PromptTooLong
from llamora.llm.tokens import TOKENS_PER_MESSAGE

CountTokens = Callable[[ChatMessages], Awaitable[int]]
RenderPrompt = Callable[["PromptContext"], ChatMessages]
# The least of an entry that is worth an answer, in characters.
MIN_ENTRY_CHARACTERS = 40


@dataclass(frozen=True, kw_only=True)
class PromptEntry:
    """Something written, and its time of day as 08:12; its day where that is another than the entry's."""

    time: str
    text: str
    id: UUID | None = None
    day: date | None = None
    day_label: str = ""
    is_cut: bool = False


@dataclass(frozen=True, kw_only=True)
class PromptContext:
    """Everything a prompt is made of, oldest first; `is_cut` when the entry has lost its beginning."""

    day: date
    entry: PromptEntry
    # Entries of days before, that the person wants read.
    recalled: tuple[PromptEntry, ...] = ()
    earlier: tuple[PromptEntry, ...] = ()
    replies: tuple[str, ...] = ()
    is_cut: bool = False

    def drop_oldest(self, count: int) -> "PromptContext":
        """Leave out so many of the oldest parts."""
        of_day = max(0, count - len(self.recalled))
        past = max(0, of_day - len(self.earlier))
        return replace(
            self,
            recalled=self.recalled[count:],
            earlier=self.earlier[of_day:],
            replies=self.replies[past:],
        )

    def shorten_entry(self, length: int) -> "PromptContext":
        """Keep only the end of the entry, from the beginning of a word where there is one."""
        end = self.entry.text[-length:]
        _, gap, rest = end.partition(" ")
        text = rest if gap and len(rest) > length // 2 else end
        return replace(self, entry=replace(self.entry, text=text), is_cut=True)


class FittedPrompt(NamedTuple):
    """What is sent, and what of the material is in it."""

    messages: ChatMessages
    context: PromptContext


def get_token_upper_bound(turns: ChatMessages) -> int:
    """More tokens than any tokenizer makes of it: one for each byte, and what a template adds."""
    return sum(len(turn["content"].encode("utf-8", "surrogatepass")) + TOKENS_PER_MESSAGE for turn in turns)


async def fit_to_window(
    material: PromptContext, *, room: int, tell: RenderPrompt, count: CountTokens
) -> FittedPrompt:
    """Return the turns of as much of the material as takes no more than `room` tokens; raise TooLong."""

    async def fitting(candidate: PromptContext) -> FittedPrompt | None:
        turns = tell(candidate)
        return FittedPrompt(turns, candidate) if await _fits(turns, room=room, count=count) else None

    if found := await fitting(material):
        return found
    too_few, enough = 0, len(material.recalled) + len(material.earlier) + len(material.replies)
    bare = material.drop_oldest(enough)
    if (found := await fitting(bare)) is None:
        return await _fit_end(bare, room=room, tell=tell, count=count)
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        if fitted := await fitting(material.drop_oldest(middle)):
            enough, found = middle, fitted
        else:
            too_few = middle
    return found


async def _fits(turns: ChatMessages, *, room: int, count: CountTokens) -> bool:
    # Asking the server takes two requests: not when even the worst case fits.
    return get_token_upper_bound(turns) <= room or await count(turns) <= room


async def _fit_end(
    material: PromptContext, *, room: int, tell: RenderPrompt, count: CountTokens
) -> FittedPrompt:
    """Keep as much of the entry's end as fits, in a few steps."""
    around = await count(tell(replace(material, entry=replace(material.entry, text=""), is_cut=True)))
    length = len(material.entry.text)
    tokens = await count(tell(material))
    while room > around:
        length = min(int(length * (room - around) / max(1, tokens - around)), int(length * 0.95))
        if length < MIN_ENTRY_CHARACTERS:
            break
        shorter = material.shorten_entry(length)
        turns = tell(shorter)
        length, tokens = len(shorter.entry.text), await count(turns)
        if tokens <= room:
            return FittedPrompt(turns, shorter)
    raise PromptTooLong


Part = TypeVar("Part")


async def fit_latest(
    parts: Sequence[Part],
    *,
    room: int,
    tell: Callable[[Sequence[Part]], ChatMessages],
    shorten: Callable[[Part], Part | None],
    count: CountTokens,
) -> tuple[ChatMessages, Sequence[Part]]:
    """Leave out the oldest parts until the rest takes no more than `room` tokens; raise TooLong.

    The last one is shortened before nothing is left; `shorten` gives None for one that is short already.
    """
    while parts:
        turns = tell(parts)
        if await _fits(turns, room=room, count=count):
            return turns, parts
        if len(parts) > 1:
            # An eighth at a time: a day of a hundred entries is not counted a hundred times.
            parts = parts[max(1, len(parts) // 8) :]
        else:
            shorter = shorten(parts[0])
            parts = [shorter] if shorter is not None else []
    raise PromptTooLong
