"""What traces refuse, besides names (`traces.names`), with stable codes and words for the person.

TraceError
    NameTaken   name_taken    another trace is called so; carries that trace
    SameTrace   same_trace    a trace is not merged with itself
"""

# The names follow what happened, as callers read them; the code is the contract.
# ruff: noqa: N818

from typing import ClassVar

from traces.models import Trace


class TraceError(Exception):
    """Base of what is refused on purpose; no name is ever in one."""

    code: ClassVar[str] = "trace"
    sentence: ClassVar[str] = ""

    def __str__(self) -> str:
        return self.code


class TraceNameTaken(TraceError):
    """Raised when another trace is called so already."""

    code = "name_taken"
    sentence = "Another trace is called so already. Merge the two, or choose another name."

    def __init__(self, other: Trace) -> None:
        super().__init__()
        self.other = other


class MergeIntoItself(TraceError):
    """Raised when a trace is to be merged with itself."""

    code = "same_trace"
    sentence = "Choose another trace to merge this one with."
