"""URLs of the API, made from the table of calls."""

import re

from django.urls import include, path, re_path

from llamora.api import views
from llamora.api.dispatch import build_view, refuse_unknown
from llamora.api.endpoints import endpoints
from llamora.api.resources import (
    chat,
    check_ins,
    days,
    entries,
    export,
    notes,
    passages,
    search,
    status,
    traces,
)  # registers their calls
from llamora.api.resources.memories import calls

app_name = "api"
__all__ = [
    "app_name",
    "calls",
    "chat",
    "check_ins",
    "days",
    "entries",
    "export",
    "notes",
    "passages",
    "patterns_below",
    "search",
    "status",
    "traces",
    "urlpatterns",
]

_PLACE = re.compile(r"\{(\w+)\}")
_BEGINNING = "api/"
_calls = [
    (_PLACE.sub(r"<str:\1>", address).removeprefix("/"), build_view(by_method), address)
    for address, by_method in endpoints.group_by_path().items()
]

# Below one beginning, so that a page is not compared with each of these.
patterns_below = [
    *(
        path(route.removeprefix(_BEGINNING), view, name=address)
        for route, view, address in _calls
        if route.startswith(_BEGINNING)
    ),
    path("openapi.json", views.show_openapi, name="description"),
    path("docs", views.show_docs, name="docs"),
]
urlpatterns = [
    path(_BEGINNING, include(patterns_below)),
    *(path(route, view, name=address) for route, view, address in _calls if not route.startswith(_BEGINNING)),
    path("docs", views.redirect_to_docs, name="docs_elsewhere"),
    path("redoc", views.redirect_to_docs, name="redoc"),
    re_path(r"^api(?:/.*)?$", refuse_unknown, name="unknown"),
]
