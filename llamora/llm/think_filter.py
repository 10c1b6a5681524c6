"""Filter that removes a model's own markup from its text: its thinking, and markers of the end.

    <think> ... </think>    thinking, anywhere in the text; also <thinking> and <thought>
    ... </think>            a lone closing tag: the model's template contains the opening tag, so all text
                            before the closing tag was thinking; if a model is known to do this, the
                            beginning of its replies counts as thinking at once
    <|im_end|> and others   the end; any text after it is not part of the reply
    </s>                    the end only if nothing follows (HTML closes a strike-through with it, too)

A tag may be split between two deltas, so text that may be the beginning of a tag is buffered.
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
    """Return whether a prompt ends with an opening tag, so that the reply begins inside thinking."""
    return prompt.rstrip().endswith(_OPEN)


class FilteredText(NamedTuple):
    """Text and thinking of one delta, and whether earlier text must be withdrawn."""

    text: str
    thought: str
    withdraw: bool


def _find_partial_tag(text: str) -> int:
    """Return the position where a possible beginning of a tag starts, or the length of the text."""
    if "<" not in text[-_LONGEST:]:
        return len(text)
    for start in range(max(0, len(text) - _LONGEST), len(text)):
        if text[start:] in _BEGINNINGS:
            return start
    return len(text)


def _is_only_soft_ends(text: str) -> bool:
    return not text.replace(_SOFT_END, "").strip()


class ThinkFilter:
    """Filter of a reply's text as it arrives.

    `thinks_first` means that the reply probably begins inside thinking. The filter assumes this until a tag
    or a separate field of the server shows where the thinking is; if neither arrives, it was wrong.
    """

    def __init__(self, *, thinks_first: bool = False) -> None:
        self.ended = False
        self.thinks_first_was_wrong = False
        self._partial_tag = ""
        self._thinking = self._is_assumed = thinks_first
        self._assumed: list[str] = []
        self._thought_before = False
        self._has_text = False
        self._reset()

    def feed(self, text: str, *, thought_apart: bool = False) -> FilteredText:
        """Filter a text; `thought_apart` says that the server sends thinking in a separate field."""
        self._thought_before |= thought_apart
        if thought_apart and self._is_assumed:
            self._thinking = self._is_assumed = False
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
        """Return buffered text that did not become a tag; `is_whole` says that the reply was not cut off."""
        held, self._partial_tag = self._partial_tag, ""
        if not self.ended and not _is_only_soft_ends(held):
            self._add(held)
        if self._is_assumed and is_whole and (text := "".join(self._assumed).lstrip()):
            self.thinks_first_was_wrong = True
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
        if self._thinking:
            self._thought.append(text)
            if self._is_assumed:
                self._assumed.append(text)
            return
        # Models often begin with empty lines, above all after thinking.
        text = text if self._has_text else text.lstrip()
        if text:
            self._has_text = True
            self._text.append(text)

    def _split_at_tags(self, text: str) -> None:
        position = 0
        for tag in _TAG.finditer(text):
            self._add(text[position : tag.start()])
            position = tag.end()
            if tag.group() == _SOFT_END:
                if _is_only_soft_ends(text[position:]):
                    self._partial_tag = text[tag.start() :] + self._partial_tag
                    return
                self._add(_SOFT_END)
            elif not self._apply_tag(tag.group()):
                return
        self._add(text[position:])

    def _apply_tag(self, tag: str) -> bool:
        """Switch between text and thinking at a tag; return False if the tag ends the reply."""
        if tag in _END:
            self.ended, self._partial_tag = True, ""
            return False
        self._is_assumed = False
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
        self._has_text = False
