"""Tests of the table that finds calls by their address: it agrees with Django's resolver."""

from datetime import date
from uuid import UUID

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import Resolver404, resolve

from llamora.api.endpoints import endpoints
from llamora.api.urls import find_call

PARTS = {"id": str(UUID(int=7)), "day": date(2026, 1, 2).isoformat()}
STRANGE = ["", "/", "//", "a b", "é", "%2f", "x\ny", ".", "..", "list", "search"]


def build_paths() -> list[str]:
    """Return an address of each call, and addresses near it."""
    addresses = sorted({call.path for call in endpoints.list_all()})
    near = [address.partition("{")[0] + text for address in addresses for text in STRANGE]
    usual = [address.format(**PARTS) for address in addresses]
    return [*usual, *near, *(f"{path}/" for path in usual), *(path[1:] for path in usual)]


def test_a_call_is_found_where_the_resolver_finds_it() -> None:
    found = 0
    for path in build_paths():
        call = find_call(path)
        try:
            match = resolve(path)
        except Resolver404:
            assert call is None, path
            continue
        is_call = match.view_name.startswith("api:/")
        assert (call is not None) == is_call, path
        if call is not None:
            found += 1
            assert (call.view, dict(call.parts)) == (match.func, match.kwargs), path
            assert call.route == f"/{match.route}"

    assert found > len(endpoints.group_by_path())


@pytest.mark.django_db
def test_a_call_passes_no_middleware_of_pages(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    passed: list[str] = []

    def note(_: object, request: HttpRequest) -> HttpResponse | None:
        passed.append(request.path)
        return None

    monkeypatch.setattr("django.middleware.common.CommonMiddleware.process_request", note)
    health = client.get("/health")
    for path in ("/api/v1/days/2026-01-02", "/mcp", "/api/docs", "/sign-in/"):
        client.get(path)

    assert passed == ["/api/docs", "/sign-in/"]
    assert health.headers["Content-Length"] == str(len(health.content))
