"""Calls about the server and the token, and the download of the Python client."""

from typing import Final

import msgspec
from django.db import connection
from django.http import HttpResponse
from django.utils import timezone

from accounts.tokens.open_keyrings import open_keyrings
from llamora.api.call import Call
from llamora.api.endpoints import endpoint
from llamora.inference import model_server

_TAG: Final = "Status"
VERSION: Final = "1"
_ZIP: Final = "application/zip"


class Health(msgspec.Struct, kw_only=True):
    """State of the server; `version` is the version of the API."""

    status: str
    version: str
    timestamp: str


class ModelBody(msgspec.Struct, kw_only=True):
    """The language model: its name and its state ("off", "looking", "loading", "ready", "away")."""

    state: str
    name: str


class TokenBody(msgspec.Struct, kw_only=True):
    """The token: its kind, its scopes, and its name while its owner's diary is unlocked."""

    kind: str
    scopes: list[str]
    name: str
    writes_own_text: bool
    reads_untrusted: bool


class StatusBody(msgspec.Struct, kw_only=True):
    """The state of the server: version, model, and whether the diary is unlocked in a browser."""

    status: str
    version: str
    unlocked: bool
    model: ModelBody
    token: TokenBody


@endpoint("GET", "/health", tag=_TAG, is_public=True)
def get_health() -> Health:
    """Return whether the server answers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM django_migrations LIMIT 1")
    moment = timezone.now().isoformat(timespec="seconds")
    return Health(status="ok", version=VERSION, timestamp=moment)


@endpoint("GET", "/api/status", tag=_TAG)
def get_status(call: Call) -> StatusBody:
    """Return what works now, and what this token may do."""
    model = model_server.get_status()
    terms = call.terms
    return StatusBody(
        status="ok",
        version=VERSION,
        unlocked=open_keyrings.find(call.owner) is not None,
        model=ModelBody(state=model.state, name=model.model or ""),
        token=TokenBody(
            kind=terms.kind.value,
            scopes=sorted(terms.scopes),
            name=call.program_name,
            writes_own_text=terms.writes_own_text,
            reads_untrusted=terms.reads_untrusted,
        ),
    )


@endpoint("GET", "/api/client.zip", tag=_TAG, media_types=(_ZIP,), is_public=True)
def get_client() -> HttpResponse:
    """Return the client for Python as a zip file.

    Python 3.11 with httpx runs it as `python client.zip`, and can import from it.
    """
    # With the client come httpx and what it imports, which a start does without.
    from llamora.client.bundle import build_zip  # noqa: PLC0415

    disposition = {"Content-Disposition": 'attachment; filename="client.zip"'}
    return HttpResponse(build_zip(), content_type=_ZIP, headers=disposition)
