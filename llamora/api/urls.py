"""URLs of the API, made from the table of calls."""

from django.urls import include, path, re_path

from llamora.api import views
from llamora.api.call_routes import CallRoutes, build_route
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
    "find_call",
    "notes",
    "passages",
    "patterns_below",
    "search",
    "status",
    "traces",
    "urlpatterns",
]

_BEGINNING = "api/"
_views = [(address, build_view(by_method)) for address, by_method in endpoints.group_by_path().items()]
_calls = [(build_route(address).removeprefix("/"), view, address) for address, view in _views]
# What each call is found by; the patterns below give addresses their names.
find_call = CallRoutes(_views).find

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
