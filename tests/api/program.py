"""A program in tests: an access token, and calls of the API with it."""

import json
from dataclasses import dataclass, field
from typing import Any, Self

from django.test import Client

from llamora.crypto import TokenKind
from tests.people import Resident
from tests.tokens import make_token


@dataclass(kw_only=True)
class Program:
    """An access token, and a client that sends it, without cookies of a person."""

    token: str = field(repr=False)
    client: Client = field(default_factory=Client)

    @classmethod
    def create(cls, who: Resident, *scopes: str, kind: TokenKind = TokenKind.ORDINARY, **terms: Any) -> Self:
        if scopes == ("drop",):
            kind = TokenKind.DROP
        return cls(token=make_token(who, kind, scopes=frozenset(scopes), **terms))

    def send(self, method: str, path: str, body: object = None, **headers: str) -> Any:
        """Send a call; `body` is sent as JSON, or as it is if it is bytes."""
        sent = {"Authorization": f"Bearer {self.token}", **headers}
        if body is None:
            return self.client.generic(method, path, headers=sent)
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.client.generic(method, path, data, content_type="application/json", headers=sent)

    def get(self, path: str) -> Any:
        """Return what a call that succeeds answers."""
        return self._read(self.send("GET", path))

    def post(self, path: str, body: object, **headers: str) -> Any:
        """Return what a call that succeeds answers."""
        return self._read(self.send("POST", path, body, **headers))

    @staticmethod
    def _read(answer: Any) -> Any:
        assert answer.status_code in (200, 201), answer.content
        assert answer.headers["Content-Type"] == "application/json"
        return json.loads(answer.content)


def read_refusal(answer: Any) -> tuple[int, str]:
    """Return the status and the code of a refusal, which has all that a refusal has."""
    body = json.loads(answer.content)
    assert {"error", "error_code", "message", "timestamp"} <= body.keys()
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.status_code, body["error_code"]
