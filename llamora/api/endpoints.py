"""The table of endpoints, from which URLs, dispatch and the OpenAPI description are built.

The decorator `endpoint` adds a function to it:

    @endpoint("GET", "/api/v1/entries/{id}", scopes=("diary:read",), tag="Entries")
    def get_entry(call: Call, *, id: UUID) -> EntryBody:
        '''Return an entry.'''

The first line of the docstring is the summary in the OpenAPI description, and the rest is the explanation.
Arguments other than `query` and `body` are parts of the path; these two are structs. A function returns a
struct or an HttpResponse.
"""

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, TypeVar, get_type_hints

import msgspec

_F = TypeVar("_F", bound=Callable[..., Any])
_PLACE: Final = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """An endpoint of the API: its method and path, its scopes, its parameters and its response."""

    method: str
    path: str
    # One of these is enough. Empty: any valid token.
    scopes: tuple[str, ...]
    tag: str
    run: Callable[..., Any] = field(repr=False)
    status: int = 200
    # The types of an answer that is a file.
    media_types: tuple[str, ...] = ()
    # Whether it may be called without a token.
    is_public: bool = False
    # Whether it stores something, so that it takes an Idempotency-Key.
    stores: bool = False

    @property
    def name(self) -> str:
        """The name of the function `run`, which is the operationId in the OpenAPI description."""
        return self.run.__name__

    @property
    def summary(self) -> str:
        """The summary in the OpenAPI description: the first line of `run`'s docstring, without full stop."""
        return inspect.getdoc(self.run).partition("\n")[0].rstrip(".")  # type: ignore[union-attr]

    @property
    def explanation(self) -> str:
        """The explanation in the OpenAPI description: all of `run`'s docstring except the first line."""
        _, _, rest = (inspect.getdoc(self.run) or "").partition("\n")
        return " ".join(rest.split())

    @cached_property
    def _types(self) -> Mapping[str, Any]:
        return get_type_hints(self.run)

    @property
    def body(self) -> type[msgspec.Struct] | None:
        """The struct of the body, or None."""
        return self._types.get("body")

    @property
    def query(self) -> type[msgspec.Struct] | None:
        """The struct of the query parameters, or None."""
        return self._types.get("query")

    @property
    def response_type(self) -> Any:
        """The type that the function returns as the response to a request."""
        return self._types["return"]

    @cached_property
    def path_types(self) -> Mapping[str, Any]:
        """A dict from the name of each variable part of the path to its type."""
        return {name: self._types[name] for name in _PLACE.findall(self.path)}


class EndpointTable:
    """All endpoints, in the order in which they were registered."""

    def __init__(self) -> None:
        self._endpoints: dict[tuple[str, str], Endpoint] = {}

    def add(self, endpoint: Endpoint) -> None:
        """Add a call of the API; raise ValueError if its method and path are registered already."""
        place = endpoint.method, endpoint.path
        if place in self._endpoints:
            raise ValueError(f"There are two calls {' '.join(place)}.")
        self._endpoints[place] = endpoint

    def list_all(self) -> list[Endpoint]:
        """Return all calls of the API."""
        return list(self._endpoints.values())

    def group_by_path(self) -> dict[str, dict[str, Endpoint]]:
        """Return a dict from path to a dict from method to call. Paths without variable parts come first."""
        paths = sorted({path for _, path in self._endpoints}, key=lambda path: (path.count("{"), path))
        return {
            path: {method: call for (method, at), call in self._endpoints.items() if at == path}
            for path in paths
        }


endpoints = EndpointTable()


def endpoint(
    method: str,
    path: str,
    *,
    scopes: tuple[str, ...] = (),
    tag: str,
    status: int = 200,
    media_types: tuple[str, ...] = (),
    is_public: bool = False,
    stores: bool = False,
) -> Callable[[_F], _F]:
    """Return a decorator that registers a function as a call of the API."""

    def register(run: _F) -> _F:
        endpoints.add(
            Endpoint(
                method=method,
                path=path,
                scopes=scopes,
                tag=tag,
                run=run,
                status=status,
                media_types=media_types,
                is_public=is_public,
                stores=stores,
            )
        )
        return run

    return register
