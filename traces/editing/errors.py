"""Errors of changes to traces, with stable codes. The errors of invalid names are in `traces.names`.

TraceError
    TraceNameTaken    name_taken    another trace has that name; carries that trace
    MergeIntoItself   same_trace    a trace cannot be merged with itself
"""

# The names say what happened, which reads best where they are raised; the code is the contract.
# ruff: noqa: N818

from typing import ClassVar

from traces.models import Trace


class TraceError(Exception):
    """Base of the errors of changes to traces. None of them contains the name of a trace."""

    code: ClassVar[str] = "trace"

    def __str__(self) -> str:
        return self.code


class TraceNameTaken(TraceError):
    """Raised when another trace has that name already."""

    code = "name_taken"

    def __init__(self, other: Trace) -> None:
        super().__init__()
        self.other = other


class MergeIntoItself(TraceError):
    """Raised when a trace would be merged with itself."""

    code = "same_trace"
