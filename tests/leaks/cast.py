"""Who lives in the house that is attacked, and what each has written."""

import base64
import re
import time
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from tests.browser_client import SESSION_COOKIE, Visitor, set_up_token
from tests.fakes.model_server import FakeModelServer
from tests.server import Server

DAY = "2026-03-05"
_VERSION = re.compile(r"/versions/([0-9a-f-]{36})/restore/")
_TRACE = re.compile(r"/traces/([0-9a-f-]{36})/glance/")
_REPLY = re.compile(r'id="reply-([0-9a-f-]{36})"')


@dataclass(kw_only=True)
class House:
    """A served household with three people in it."""

    server: Server
    model: FakeModelServer
    keeper: Visitor
    owner: Visitor
    housemate: Visitor

    @property
    def stranger(self) -> Visitor:
        """A browser that nobody has signed in on."""
        return Visitor(server=self.server)

    def ids(self, who: Visitor) -> dict[str, str]:
        """An entry of a person's own and its reply, made the first time they are asked for."""
        if who.name not in _IDS:
            entry = who.write("Its first version.", day=DAY)
            edit = {"text": f"An entry of {who.name}.", "revision": "1"}
            assert who.post(f"/entries/{entry}/edit/", script=True, **edit).status == 200
            version = _VERSION.findall(who.fetch(f"/entries/{entry}/versions/").body)[0]
            ids = {"entry": entry, "version": version, "reply": answered(who, entry)}
            ids |= labelled(who, entry)
            _IDS[who.name] = ids | {"sign_in": str(sign_in_of(who))}
        return _IDS[who.name]


_IDS: dict[str, dict[str, str]] = {}


def sign_in_of(who: Visitor) -> UUID:
    """The row that a browser's cookie names."""
    return UUID(bytes=base64.urlsafe_b64decode(who.cookies[SESSION_COOKIE])[:16])


def labelled(who: Visitor, entry: str) -> dict[str, str]:
    """Keep a trace on an entry and call it otherwise; return the ids of the trace and the change."""
    kept = who.post(f"/entries/{entry}/traces/keep/", script=True, name=f"A trace of {who.name}")
    trace = _TRACE.findall(kept.body)[0]
    renamed = who.post(f"/traces/{trace}/rename/", name=f"Another of {who.name}")
    return {"trace": trace, "change": parse_qs(urlsplit(renamed.headers["location"]).query)["changed"][0]}


def answered(who: Visitor, entry: str) -> str:
    """Have an entry answered to the end, well or badly; return the reply's id."""
    reply: str = _REPLY.findall(who.post(f"/entries/{entry}/respond/", script=True).body)[0]
    deadline = time.monotonic() + 30
    while re.search('data-state="(writing|waiting)"', who.fetch(f"/replies/{reply}/").body):
        assert time.monotonic() < deadline, "the reply did not end"
        time.sleep(0.01)
    return reply


def move_in(server: Server, model: FakeModelServer) -> House:
    keeper = Visitor.join(server, "Kay", set_up=set_up_token(server))
    people = [Visitor.join(server, name) for name in ("Olive", "Humphrey")]
    return House(server=server, model=model, keeper=keeper, owner=people[0], housemate=people[1])
