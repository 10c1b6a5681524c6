"""URLs of the API, made from the table of calls."""

import re

from django.urls import path, re_path

from llamora.api import views
from llamora.api.dispatch import build_view, refuse_unknown
from llamora.api.endpoints import endpoints
from llamora.api.resources import (
    chat,
    days,
    entries,
    export,
    memory,
    notes,
    passages,
    search,
    status,
    traces,
)  # registers their calls

app_name = "api"
__all__ = [
    "app_name",
    "chat",
    "days",
    "entries",
    "export",
    "memory",
    "notes",
    "passages",
    "search",
    "status",
    "traces",
    "urlpatterns",
]

_PLACE = re.compile(r"\{(\w+)\}")

urlpatterns = [
    *(
        path(
            _PLACE.sub(r"<str:\1>", address).removeprefix("/"),
            build_view(by_method),
            name=address,
        )
        for address, by_method in endpoints.group_by_path().items()
    ),
    path("api/openapi.json", views.show_openapi, name="description"),
    path("api/docs", views.show_docs, name="docs"),
    path("docs", views.redirect_to_docs, name="docs_elsewhere"),
    path("redoc", views.redirect_to_docs, name="redoc"),
    re_path(r"^api(?:/.*)?$", refuse_unknown, name="unknown"),
]
