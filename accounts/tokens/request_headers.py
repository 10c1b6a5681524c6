"""The access token of an HTTP request, in the header `Authorization: Bearer …` or `X-API-Key: …`."""

from typing import Final

from accounts.sessions.scope import Scope
from accounts.tokens.verification import find_token_owner

_BEARER: Final = "bearer "


def find_token(authorization: str, api_key: str) -> str:
    """Return the token in the two headers, or "" if they contain none or two different ones."""
    bearer, api_key = "", api_key.strip()
    if authorization[: len(_BEARER)].lower() == _BEARER:
        bearer = authorization[len(_BEARER) :].strip()
    if bearer and api_key and bearer != api_key:
        return ""
    return bearer or api_key


def find_sender(scope: Scope) -> str:
    """Return the name under which requests of a person's programs are counted; "" without a valid token.

    The name is not the id of the person, so that requests of programs are not counted against the limits of
    the person's own requests.
    """
    headers = {name: value.decode("latin-1") for name, value in scope.get("headers", [])}
    text = find_token(headers.get(b"authorization", ""), headers.get(b"x-api-key", ""))
    owner = find_token_owner(text) if text else None
    return f"programs of {owner}" if owner else ""
