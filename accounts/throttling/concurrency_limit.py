"""One at a time at the door: however many come at once, pages are made beside them.

Each form at the door runs in a thread of its own, because it waits for a derivation. Two hundred that are
only refused would still take turns with everybody's pages; so no more than AT_ONCE use the processor, and
whoever waits (for a key, for a delay, for a whole diary to be moved or deleted) steps aside meanwhile. One,
because threads of Python share one lock: a second would be no quicker and would only keep pages waiting.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import update_wrapper
from typing import Concatenate, ParamSpec, TypeVar

from django.http import HttpRequest, HttpResponse

AT_ONCE = 1
_P = ParamSpec("_P")
_Request = TypeVar("_Request", bound=HttpRequest)


class ConcurrencyLimit:
    """Places for a few threads."""

    def __init__(self, *, places: int) -> None:
        self._semaphore = threading.Semaphore(places)
        self._thread = threading.local()

    @contextmanager
    def acquire(self) -> Iterator[None]:
        """Take a place for the block."""
        with self._semaphore:
            self._thread.is_inside = True
            try:
                yield
            finally:
                self._thread.is_inside = False

    @contextmanager
    def release_while_waiting(self) -> Iterator[None]:
        """Give the place to somebody else for the block; does nothing for a thread that has none."""
        if not getattr(self._thread, "is_inside", False):
            yield
            return
        self._thread.is_inside = False
        self._semaphore.release()
        try:
            yield
        finally:
            self._semaphore.acquire()
            self._thread.is_inside = True


concurrency_limit = ConcurrencyLimit(places=AT_ONCE)


def limit_concurrency(
    view: Callable[Concatenate[_Request, _P], HttpResponse],
) -> Callable[Concatenate[_Request, _P], HttpResponse]:
    """Have a view's forms take a place while they use the processor."""

    def gate(request: _Request, /, *args: _P.args, **kwargs: _P.kwargs) -> HttpResponse:
        if request.method != "POST":
            return view(request, *args, **kwargs)
        with concurrency_limit.acquire():
            return view(request, *args, **kwargs)

    update_wrapper(gate, view)
    return gate
