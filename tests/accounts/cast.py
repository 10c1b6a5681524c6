"""Who plays in these tests, by how they stand to each other, each let in through the real door."""

import re
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.test import Client

from accounts.auth.services.registration import create_person
from accounts.keys import key_pairs
from accounts.models import Person, SignIn
from accounts.sessions.cookies import SessionCookie, get_cookie_name, parse_cookie
from llamora.crypto import Keyring

BY_SCRIPT = {"HX-Request": "true"}
PASSWORD = "a quiet lamp by the window"
NEW_PASSWORD = "seven herons over the marsh"
HERE, ELSEWHERE = "192.0.2.1", "198.51.100.7"
SESSION = get_cookie_name(secure=False)
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")


@dataclass(kw_only=True)
class Member:
    """Somebody with a diary, and a browser of theirs."""

    person: Person
    code: str
    data_key: bytes
    client: Client = field(default_factory=Client)
    password: str = PASSWORD

    @property
    def id(self) -> UUID:
        return self.person.id

    @property
    def keyring(self) -> Keyring:
        """A keyring of their own, as an unlock gives it."""
        return Keyring(owner=self.id, epoch=1, keys={1: self.data_key})

    def signs_in(self, *, keep: bool = False) -> "Member":
        fields = {"name": self.person.name, "password": self.password, **({"keep": "30"} if keep else {})}
        answer = self.client.post("/sign-in/", fields)
        assert answer.status_code == 302, answer.content
        return self

    def locks(self) -> None:
        assert self.post("/lock/").status_code == 302

    def get(self, path: str, *, script: bool = False) -> Any:
        return self.client.get(path, headers=BY_SCRIPT if script else {})

    def post(self, path: str, *, script: bool = False, **fields: Any) -> Any:
        """Send a form of this person's page."""
        headers = BY_SCRIPT if script else {}
        return self.client.post(path, {"owner": str(self.id), **fields}, headers=headers)

    def cookie(self) -> SessionCookie:
        found = parse_cookie(self.client.cookies[SESSION].value)
        assert found is not None
        return found

    def row(self) -> SignIn:
        return SignIn.objects.get(id=self.cookie().sign_in_id)

    def is_unlocked(self) -> bool:
        return bool(self.get("/settings/").status_code == 200)


def member(name: str, *, keeper: bool = False) -> Member:
    """A new person, not signed in anywhere."""
    enrolled = create_person(
        name=name, password=PASSWORD, time_zone="Europe/Vienna", keeper=keeper, address=f"enrolling {name}"
    )
    data_key = enrolled.keyring.data_key()
    enrolled.keyring.close()
    key_pairs.forget_public_key(enrolled.person.id)
    return Member(person=enrolled.person, code=enrolled.recovery_code, data_key=data_key)


def sentences_of(answer: Any) -> list[str]:
    """The refusals a page shows."""
    page = answer.content.decode()
    return [
        re.sub(r"<[^>]+>", "", found).strip()
        for found in re.findall(r'<p class="field-error"[^>]*>(.*?)</p>', page)
    ]


def code_of(answer: Any) -> str:
    """The recovery code a page shows."""
    found = re.search(r"data-recovery-code[^>]*>(.*?)</p>", answer.content.decode(), re.DOTALL)
    assert found, answer.content
    return "-".join(re.findall(r"<span>(\w{4})</span>", found[1]))


def asked_of(answer: Any) -> list[int]:
    """Which groups of its code a page asks for, in its order and counted from nought."""
    labels = re.findall(r">The (\w+) group</label>", answer.content.decode())
    return [ORDINALS.index(label) for label in labels]


def keeps(client: Client, page: Any, *, script: bool = False, **typed: str) -> Any:
    """Type back what the page of a code asks for, or something else, with the page's own fields."""
    groups = code_of(page).split("-")
    right = dict(zip(("group_a", "group_b"), (groups[index] for index in asked_of(page)), strict=True))
    hidden = re.findall(r'type="hidden" name="(owner|carried)" value="([^"]*)"', page.content.decode())
    headers = BY_SCRIPT if script else {}
    return client.post("/recovery-kept/", {**dict(hidden), **right, **typed}, headers=headers)
