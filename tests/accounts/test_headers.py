"""Tests of the security headers of every page, and of Django's deployment checks."""

from io import StringIO
from typing import Any

from django.core.management import call_command
from django.test import Client
from django.urls import get_resolver

from llamora.api.middleware import MCP_PATH
from llamora.api.urls import find_call
from tests.people import PASSWORD, Resident

POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
}
# What a program gets shows nothing.
NO_PAGE = {"default-src 'none'", "frame-ancestors 'none'"}
ADMIN = ["/admin/", "/admin/accounts/person/", "/admin/accounts/invitation/add/", "/admin/nothing/"]
REFUSED = [
    "/nothing-here/",
    "/d/2026-02-31/",
    "/register/?invite=guess",
    "/static/nothing-here.css",
    "/admin",
]


def list_paths_without_ids() -> list[str]:
    """Return the paths of all URL patterns without arguments."""
    found = []
    for group in get_resolver().url_patterns:
        for pattern in getattr(group, "url_patterns", []):
            path = f"{group.pattern}{pattern.pattern}"
            if "<" not in path and "(" not in path and not path.startswith("admin"):
                found.append(f"/{path}")
    return sorted(found)


def check_headers(answer: Any, policy: set[str] = POLICY) -> None:
    headers = answer.headers
    assert set(headers["Content-Security-Policy"].split("; ")) == policy
    assert "no-store" in headers["Cache-Control"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["X-Frame-Options"] == "DENY"
    assert "camera=()" in headers["Permissions-Policy"]


def test_every_page_says_what_a_browser_may_do(administrator: Resident, stranger: Client) -> None:
    administrator.sign_in()
    paths = [*list_paths_without_ids(), *ADMIN, *REFUSED]

    assert {"/", "/settings/", "/sign-in/", "/settings/leave/", "/health", MCP_PATH} <= set(paths)
    for path in paths:
        for client in (administrator.client, stranger):
            is_of_program = path == MCP_PATH or find_call(path) is not None
            check_headers(client.get(path), NO_PAGE if is_of_program else POLICY)


def test_refused_forms_say_it_as_well(owner: Resident) -> None:
    check_headers(owner.post("/settings/", time_zone="Mars"))
    check_headers(Client(enforce_csrf_checks=True).post("/sign-in/", {"name": "x", "password": "y"}))
    check_headers(owner.client.post("/lock/x/"))
    check_headers(owner.client.get("/", headers={"host": "elsewhere.example"}))


def test_over_https_every_cookie_stays_there(owner: Resident) -> None:
    client = Client()

    client.get("/sign-in/", secure=True)
    fields = {"name": owner.person.name, "password": PASSWORD, "stay_days": "30"}
    client.post("/sign-in/", fields, secure=True)

    cookies = {name: morsel["secure"] for name, morsel in client.cookies.items()}
    assert len(cookies) == 4
    assert all(cookies.values())


def test_djangos_own_checks_of_a_deployment_find_nothing() -> None:
    said = StringIO()

    call_command("check", deploy=True, stderr=said, stdout=said, fail_level="WARNING")

    assert "no issues" in said.getvalue()
