"""The model's own markup, taken out of its text: thinking, and end-of-text markers that leaked.

    <think> ... </think>    thinking, wherever it stands; also <thinking> and <thought>
    ... </think>            a lone end: the template opened it, so all that came before was thinking;
                            where that is known of a model, what it begins with is held to be thinking
    <|im_end|> and others   the end; whatever the model invents after it is not part of the reply
    </s>                    the end only when nothing follows (it is also how HTML closes a strike-through)

A tag may be cut anywhere between two deltas: what could still become one is held back.
"""

import re
from typing import NamedTuple

_OPEN = ("<think>", "<thinking>", "<thought>")
_CLOSE = ("</think>", "</thinking>", "</thought>")
_END = (
    "<|im_end|>",
    "<|im_start|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|endoftext|>",
    "<|end_of_text|>",
    "<|end|>",
    "<|eos|>",
    "<|return|>",
    "<|end_of_turn|>",
    "<end_of_turn>",
    "<start_of_turn>",
    "<|start_header_id|>",
    "<｜end▁of▁sentence｜>",
    "<|endofturn|>",
)
_SOFT_END = "</s>"
_ALL = (*_OPEN, *_CLOSE, *_END, _SOFT_END)
_TAG = re.compile("|".join(re.escape(tag) for tag in _ALL))
_BEGINNINGS = frozenset(tag[:length] for tag in _ALL for length in range(1, len(tag)))
_LONGEST = max(map(len, _ALL))


def opens_thinking(prompt: str) -> bool:
    """Return whether a prompt ends in the beginning of the model's thinking."""
    return prompt.rstrip().endswith(_OPEN)


class FilteredText(NamedTuple):
    """What was text, what was thought, and whether earlier text must be taken back."""

    text: str
    thought: str
    withdraw: bool


def _find_partial_tag(text: str) -> int:
    """Where the tail begins that may still become a tag; the length of the text when there is none."""
    if "<" not in text[-_LONGEST:]:
        return len(text)
    for start in range(max(0, len(text) - _LONGEST), len(text)):
        if text[start:] in _BEGINNINGS:
            return start
    return len(text)


def _is_only_soft_ends(text: str) -> bool:
    return not text.replace(_SOFT_END, "").strip()


class ThinkFilter:
    """Feeds on text as it comes; gives back what a person should read.

    `thinks_first` says that this model's template opens its thinking. It is believed until a tag, or the
    server, says where the thinking is; of a reply that came to its end without either it was not true.
    """

    def __init__(self, *, thinks_first: bool = False) -> None:
        self.ended = False
        self.was_wrong = False
        self._partial_tag = ""
        self._thinking = self._is_believed = thinks_first
        self._believed: list[str] = []
        self._thought_before = False
        self._written = False
        self._reset()

    def feed(self, text: str, *, thought_apart: bool = False) -> FilteredText:
        """Sort this text; `thought_apart` says that the server sends its thinking in a field of its own."""
        self._thought_before |= thought_apart
        if thought_apart and self._is_believed:
            self._thinking = self._is_believed = False
        if self.ended:
            return FilteredText("", "", False)
        text = self._partial_tag + text
        if "<" not in text:
            self._add(text)
            return self._take_output()
        cut = _find_partial_tag(text)
        self._partial_tag = text[cut:]
        self._split_at_tags(text[:cut])
        return self._take_output()

    def close(self, *, is_whole: bool = True) -> FilteredText:
        """What was held back and never became a tag; `is_whole` when the model itself came to an end."""
        held, self._partial_tag = self._partial_tag, ""
        if not self.ended and not _is_only_soft_ends(held):
            self._add(held)
        if self._is_believed and is_whole and (text := "".join(self._believed).lstrip()):
            self.was_wrong = True
            return FilteredText(text, "", False)
        return self._take_output()

    def _reset(self) -> None:
        self._text: list[str] = []
        self._thought: list[str] = []
        self._withdraw = False

    def _take_output(self) -> FilteredText:
        sifted = FilteredText("".join(self._text), "".join(self._thought), self._withdraw)
        self._reset()
        return sifted

    def _add(self, text: str) -> None:
        if self._thinking:
            self._thought.append(text)
            if self._is_believed:
                self._believed.append(text)
            return
        # Models like to begin with empty lines, above all after thinking.
        text = text if self._written else text.lstrip()
        if text:
            self._written = True
            self._text.append(text)

    def _split_at_tags(self, text: str) -> None:
        place = 0
        for tag in _TAG.finditer(text):
            self._add(text[place : tag.start()])
            place = tag.end()
            if tag.group() == _SOFT_END:
                if _is_only_soft_ends(text[place:]):
                    self._partial_tag = text[tag.start() :] + self._partial_tag
                    return
                self._add(_SOFT_END)
            elif not self._switch_side(tag.group()):
                return
        self._add(text[place:])

    def _switch_side(self, tag: str) -> bool:
        """Change sides at a tag; false at the end."""
        if tag in _END:
            self.ended, self._partial_tag = True, ""
            return False
        self._is_believed = False
        if tag in _OPEN:
            self._thinking = self._thought_before = True
        elif self._thinking or self._thought_before:
            self._thinking = False
        else:
            self._withdraw_all()
        return True

    def _withdraw_all(self) -> None:
        self._thought[:0] = self._text
        self._text.clear()
        self._withdraw = self._thought_before = True
        self._written = False
