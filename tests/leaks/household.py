"""Who lives in the house that is attacked, and what each has written."""

import base64
import time
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from tests.browser_client import SESSION_COOKIE, BrowserResponse, Visitor, set_up_token
from tests.fakes.model_server import FakeModelServer
from tests.page import read
from tests.server import Server

DAY = "2026-03-05"


@dataclass(kw_only=True)
class AttackedHouse:
    """A served household with three people in it."""

    server: Server
    model: FakeModelServer
    administrator: Visitor
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
            version = id_between("/versions/", "/restore/", who.fetch(f"/entries/{entry}/versions/"))
            ids = {"entry": entry, "version": version, "reply": answered(who, entry)}
            ids |= labelled(who, entry)
            _IDS[who.name] = ids | {"sign_in": str(sign_in_of(who))}
        return _IDS[who.name]


_IDS: dict[str, dict[str, str]] = {}


def sign_in_of(who: Visitor) -> UUID:
    """The row that a browser's cookie names."""
    return UUID(bytes=base64.urlsafe_b64decode(who.cookies[SESSION_COOKIE])[:16])


def id_between(before: str, after: str, response: BrowserResponse) -> str:
    """Return the id in the first address of a page that leads to an action on a row."""
    addresses = (urlsplit(link).path for link in read(response).links())
    address = next(link for link in addresses if before in link and link.endswith(after))
    return address.removesuffix(after).rpartition("/")[2]


def trace_id(response: BrowserResponse) -> str:
    """Return the id of the first trace on a page."""
    return id_between("/traces/", "/glance/", response)


def labelled(who: Visitor, entry: str) -> dict[str, str]:
    """Keep a trace on an entry and call it otherwise; return the ids of the trace and the change."""
    kept = who.post(f"/entries/{entry}/traces/keep/", script=True, name=f"A trace of {who.name}")
    trace = trace_id(kept)
    renamed = who.post(f"/traces/{trace}/rename/", name=f"Another of {who.name}")
    return {"trace": trace, "change": parse_qs(urlsplit(renamed.headers["location"]).query)["changed"][0]}


def answered(who: Visitor, entry: str) -> str:
    """Have an entry answered to the end, well or badly; return the reply's id."""
    reply = who.respond(entry)
    deadline = time.monotonic() + 30
    while read(who.fetch(f"/replies/{reply}/")).has('[data-state="writing"], [data-state="waiting"]'):
        assert time.monotonic() < deadline, "the reply did not end"
        time.sleep(0.01)
    return reply


def move_in(server: Server, model: FakeModelServer) -> AttackedHouse:
    administrator = Visitor.join(server, "Kay", set_up=set_up_token(server))
    people = [Visitor.join(server, name) for name in ("Olive", "Humphrey")]
    return AttackedHouse(
        server=server, model=model, administrator=administrator, owner=people[0], housemate=people[1]
    )
