"""Lookup of the view for a call's path in a table, which is faster than Django's URL resolver.

The resolver would try every pattern in turn.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.http.response import HttpResponseBase

View = Callable[..., HttpResponseBase]
_PLACE: Final = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, kw_only=True)
class FoundCall:
    """The view found for a path, its route in Django's notation, and the path's variable parts by name."""

    view: View
    route: str
    parts: Mapping[str, str] = field(default_factory=dict)


class CallRoutes:
    """A table that maps path patterns such as `/api/v1/days/{day}` to views.

    A path without variable parts comes first, then the first registered pattern that matches.
    """

    def __init__(self, views: Iterable[tuple[str, View]]) -> None:
        self._fixed: dict[str, FoundCall] = {}
        # By the number of slashes: a part has none.
        self._varying: dict[int, list[tuple[re.Pattern[str], FoundCall]]] = {}
        for address, view in views:
            found = FoundCall(view=view, route=build_route(address))
            if "{" not in address:
                self._fixed[address] = found
                continue
            pattern = re.compile(_PLACE.sub(r"(?P<\1>[^/]+)", address.replace(".", r"\.")))
            self._varying.setdefault(address.count("/"), []).append((pattern, found))

    def find(self, path: str) -> FoundCall | None:
        """Return the call with this path, and the variable parts of the path; None if there is none."""
        if found := self._fixed.get(path):
            return found
        for pattern, call in self._varying.get(path.count("/"), ()):
            if match := pattern.fullmatch(path):
                parts: dict[str, Any] = match.groupdict()
                return FoundCall(view=call.view, route=call.route, parts=parts)
        return None


def build_route(address: str) -> str:
    """Return the Django route of a path pattern: `/api/days/<str:day>` for `/api/days/{day}`.

    Other Django routes have no slash at the beginning; these have one.
    """
    return _PLACE.sub(r"<str:\1>", address)
