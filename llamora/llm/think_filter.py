"""Filter that removes a model's own markup from its text: its thinking, channels and turns.

`thinking_marks` lists the marks. A closing mark without an opening one means that the opening mark is in the
model's template, so all text before it was thinking. If a model is known to do this, its replies are treated
as thinking from the beginning. A mark may be split between two deltas, so text that may be the beginning of a
mark is buffered. A mark that may be in a code span is buffered until its line or the span ends.
"""

import re
from typing import NamedTuple

from llamora.llm import thinking_marks as marks

# A code span with a mark in it that is longer than this is none.
_LONGEST_SPAN = 200
_SPAN_END = re.compile("[`\n]")
_TURNS = marks.TURN | marks.BARE_TURN
_LONGEST_ROLE, _LONGEST_HEADER = 24, 200
_REPLY_ROLES = frozenset({"", "assistant", "model", "chatbot"})
_OTHER_ROLES = frozenset({"user", "system", "tool", "developer", "human"})


def opens_thinking(prompt: str) -> bool:
    """Return whether a prompt ends with a mark that begins the thinking, so that the reply continues it."""
    return prompt.rstrip().endswith(tuple(marks.THINKING))


class FilteredText(NamedTuple):
    """The text and the thinking in one delta. If `withdraw` is true, the text so far must be removed."""

    text: str
    thought: str
    withdraw: bool


_NOTHING = FilteredText("", "", False)


def _is_only_soft_ends(text: str) -> bool:
    return not text.replace(marks.SOFT_END, "").strip()


class ThinkFilter:
    """Filter that separates a reply's thinking from its text while the reply arrives.

    `thinks_first` means that the reply probably begins inside thinking. The filter assumes this until a mark
    or a separate field of the server shows where the thinking is; if neither arrives, it was wrong.
    """

    def __init__(self, *, thinks_first: bool = False) -> None:
        self.ended = False
        self.has_text = False
        self.thinks_first_was_wrong = False
        self._buffer = ""
        self._thinking = self._is_assumed = thinks_first
        self._assumed: list[str] = []
        self._thought_before = False
        # The closing marks of the thinking that is open.
        self._open: list[str] = []
        # The text since the mark that begins a turn, or since the one that begins a message in a channel.
        self._role: str | None = None
        self._header: str | None = None
        self._sender = ""
        self._is_in_span = False
        self._is_begun = self._is_bare = False
        self._reset()

    def feed(self, text: str, *, thought_apart: bool = False) -> FilteredText:
        """Filter the next piece of a reply; `thought_apart` says that the server sent thinking separately."""
        if thought_apart:
            self._thought_before = self._is_begun = True
            if self._is_assumed:
                self._thinking = self._is_assumed = False
        if not text or self.ended:
            return _NOTHING
        text = self._buffer + text
        if not self._is_begun or self._is_bare:
            text = self._skip_bare_channel(text)
        if "<" not in text and "[" not in text and "◁" not in text:
            is_reply = self.has_text and not self._thinking and self._header is None and self._role is None
            if is_reply and "`" not in text and "\n" not in text:
                # As `_add` would do it, for almost every text.
                return FilteredText(text, "", False)
            self._add(text)
            return self._take_output()
        cut = marks.find_partial_mark(text)
        self._buffer = text[cut:]
        self._split_at_marks(text[:cut])
        return self._take_output()

    def _skip_bare_channel(self, text: str) -> str:
        """Return the text after a channel that was written without marks (see `thinking_marks`).

        The channel is thinking. Text that may be the beginning of its end is buffered.
        """
        self._buffer = ""
        if not self._is_begun:
            is_bare = marks.begins_with_channel_name(text)
            if is_bare is None:
                self._buffer = text
                return ""
            self._is_begun, self._is_bare = True, is_bare
            if is_bare:
                self._thinking, self._is_assumed = True, False
                text = text.removeprefix(marks.BARE_CHANNEL)
        if not self._is_bare:
            return text
        thought, end, rest = text.partition(marks.BARE_FINAL)
        if end:
            self._thought.append(thought)
            self._thinking = self._is_bare = False
            self._thought_before = True
            return rest
        cut = max(0, len(text) - len(marks.BARE_FINAL) + 1)
        self._buffer = text[cut:]
        self._thought.append(text[:cut])
        return ""

    def close(self, *, is_whole: bool = True) -> FilteredText:
        """Return the rest of the buffered text without markup; `is_whole` says that the reply is complete."""
        held, self._buffer = self._buffer, ""
        if not self.ended and not _is_only_soft_ends(held):
            self._split_at_marks(held, is_last=True)
        if self._is_assumed and is_whole and (text := "".join(self._assumed).lstrip()):
            self.thinks_first_was_wrong = self.has_text = True
            return FilteredText(text, "", False)
        return self._take_output()

    def _reset(self) -> None:
        self._text: list[str] = []
        self._thought: list[str] = []
        self._withdraw = False

    def _take_output(self) -> FilteredText:
        filtered = FilteredText("".join(self._text), "".join(self._thought), self._withdraw)
        self._reset()
        return filtered

    def _add(self, text: str) -> None:
        if "`" in text or "\n" in text:
            line = text.rpartition("\n")[2]
            went_on = self._is_in_span and "\n" not in text
            self._is_in_span = (line.count("`") + went_on) % 2 == 1
        if self._header is not None:
            self._add_to_header(text)
        elif self._role is not None:
            self._add_to_role(text)
        elif self._thinking:
            self._thought.append(text)
            if self._is_assumed:
                self._assumed.append(text)
        # Models often begin with empty lines, above all after thinking.
        elif text := text if self.has_text else text.lstrip():
            self.has_text = True
            self._text.append(text)

    def _add_to_header(self, text: str) -> None:
        assert self._header is not None
        self._header += text
        if len(self._header) > _LONGEST_HEADER:
            # No header at all; what it is remains hidden.
            self._header, self._thinking = None, True

    def _add_to_role(self, text: str) -> None:
        assert self._role is not None
        head, line_end, rest = (self._role + text).partition("\n")
        if not line_end and len(head) <= _LONGEST_ROLE:
            self._role = head
            return
        self._role = head + line_end
        self._end_role()
        self._add_unless_ended(rest)

    def _end_role(self) -> None:
        """End the reply if a turn of another role begins; text that is not a role is part of the reply."""
        head, self._role = self._role or "", None
        if head.strip() in _OTHER_ROLES:
            self.ended, self._buffer = True, ""
        elif head.strip() not in _REPLY_ROLES:
            self._add(head)

    def _add_unless_ended(self, text: str) -> None:
        if text and not self.ended:
            self._add(text)

    def _split_at_marks(self, text: str, *, is_last: bool = False) -> None:
        position = 0
        while mark := marks.MARK.search(text, position):
            self._add_unless_ended(text[position : mark.start()])
            position = mark.end()
            if self._is_in_span and (end := _find_span_end(text, mark, is_last=is_last)) != mark.start():
                if end < 0:
                    self._buffer = text[mark.start() :] + self._buffer
                    return
                self._add(text[mark.start() : end])
                position = end
            elif mark.group() == marks.SOFT_END:
                if _is_only_soft_ends(text[position:]):
                    self._buffer = "" if is_last else text[mark.start() :] + self._buffer
                    return
                self._add(marks.SOFT_END)
            else:
                self._apply_mark(mark.group())
            if self.ended:
                return
        self._add_unless_ended(text[position:])

    def _apply_mark(self, mark: str) -> None:
        """Switch between text and thinking at a mark, or end the reply."""
        if self._role is not None:
            self._end_role()
        self._is_in_span = False
        if mark in marks.THINKING:
            self._open_thinking(marks.THINKING[mark])
        elif mark in marks.CLOSING:
            self._close_thinking(mark)
        elif mark in (marks.START, marks.CHANNEL, marks.MESSAGE) or self._header is not None:
            self._apply_channel_mark(mark)
        elif mark in marks.CHANNEL_ENDS and self._is_hidden_channel and mark == "<|end|>":
            self._sender, self._header = "", ""
        elif mark in marks.END or (self.has_text and mark in _TURNS):
            self.ended, self._buffer = True, ""
        elif mark in marks.TURN:
            self._role = ""

    @property
    def _is_hidden_channel(self) -> bool:
        return self._thinking and not self._open and not self._is_assumed

    def _open_thinking(self, closing: str) -> None:
        self._is_assumed = False
        self._thinking = self._thought_before = True
        if closing not in self._open:
            self._open.append(closing)

    def _close_thinking(self, closing: str) -> None:
        self._is_assumed = False
        if not self._thinking and not self._thought_before:
            self._withdraw_all()
        # The end of an inner one leaves the outer one open; any other end counts for all.
        del self._open[self._open.index(closing) if closing in self._open else 0 :]
        self._thinking = bool(self._open)

    def _apply_channel_mark(self, mark: str) -> None:
        """Read the header of a message, such as `assistant<|channel|>final`; its end tells what it is."""
        self._is_assumed = False
        if mark == marks.START:
            if self.has_text and not self._thinking:
                self.ended, self._buffer = True, ""
            self._sender, self._header = "", ""
        elif mark == marks.CHANNEL:
            self._sender, self._header = (self._header or "assistant").strip() or "assistant", ""
        elif mark == marks.MESSAGE and self._header is not None:
            self._begin_message(self._header)
        elif mark in marks.END:
            self.ended, self._buffer = True, ""

    def _begin_message(self, header: str) -> None:
        name = next(iter(header.split()), "")
        sender, self._header = (self._sender or name or "assistant").split()[0], None
        self._open.clear()
        self._thinking = bool(self._sender) and name != "final"
        self._thought_before |= self._thinking
        if sender != "assistant":
            self.ended, self._buffer = True, ""

    def _withdraw_all(self) -> None:
        self._thought[:0] = self._text
        self._text.clear()
        self._withdraw = self._thought_before = True
        self.has_text = False


def _find_span_end(text: str, mark: re.Match[str], *, is_last: bool) -> int:
    """Return the end of the code span around a mark.

    Return the beginning of the mark if it is not in a code span, and -1 if more text is needed to tell.
    """
    limit = mark.start() + _LONGEST_SPAN
    if found := _SPAN_END.search(text, mark.end(), limit):
        return found.end() if found[0] == "`" else mark.start()
    return mark.start() if is_last or len(text) >= limit else -1
