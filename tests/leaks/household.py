"""The people of the attacked household, and their rows."""

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
    """A served household with three people, for attacks."""

    server: Server
    model: FakeModelServer
    administrator: Visitor
    owner: Visitor
    housemate: Visitor

    @property
    def stranger(self) -> Visitor:
        """Return a browser without a signed-in person."""
        return Visitor(server=self.server)

    def ids(self, who: Visitor) -> dict[str, str]:
        """Return the ids of an entry of a person and its reply, created at the first call."""
        if who.name not in _IDS:
            entry = who.write("Its first version.", day=DAY)
            edit = {"text": f"An entry of {who.name}.", "revision": "1"}
            assert who.post(f"/entries/{entry}/edit/", script=True, **edit).status == 200
            version = find_id_between("/versions/", "/restore/", who.fetch(f"/entries/{entry}/versions/"))
            ids = {"entry": entry, "version": version, "reply": get_reply(who, entry)}
            ids |= add_and_rename_trace(who, entry)
            ids |= {"token": create_token(who), "fact": add_fact(who)} | add_note(who)
            _IDS[who.name] = ids | {"sign_in": str(get_sign_in_id(who))}
        return _IDS[who.name]


_IDS: dict[str, dict[str, str]] = {}


def create_token(who: Visitor) -> str:
    """Make an access token that only sends texts, and return its id."""
    fields = {"name": f"A program of {who.name}", "kind": "drop", "lifetime_days": "0"}
    assert who.post("/settings/programs/", **fields).status == 200
    page = who.fetch("/settings/programs/").body
    return page.partition("/revoke/")[0].rpartition("/")[2]


def add_fact(who: Visitor) -> str:
    """Add a fact, and return its id."""
    added = who.post("/facts/add/", text=f"{who.name} likes tea")
    return urlsplit(added.headers["location"]).path.strip("/").rpartition("/")[2]


def add_note(who: Visitor) -> dict[str, str]:
    """Add a note and edit it; return the ids of the note and its earlier version."""
    added = who.post("/notes/new/persona/", text=f"Speak calmly to {who.name}.", revision="0")
    path = urlsplit(added.headers["location"]).path
    assert who.post(f"{path}edit/", text=f"Speak softly to {who.name}.", revision="1").status == 302
    version = find_id_between("/notes/versions/", "/restore/", who.fetch(f"{path}versions/"))
    return {"note": path.strip("/").rpartition("/")[2], "note_version": version}


def get_sign_in_id(who: Visitor) -> UUID:
    """Return the id of the sign-in row in a browser's cookie."""
    return UUID(bytes=base64.urlsafe_b64decode(who.cookies[SESSION_COOKIE])[:16])


def find_id_between(before: str, after: str, response: BrowserResponse) -> str:
    """Return the id in the first URL of a page that contains `before` and ends with `after`."""
    addresses = (urlsplit(link).path for link in read(response).links())
    address = next(link for link in addresses if before in link and link.endswith(after))
    return address.removesuffix(after).rpartition("/")[2]


def find_trace_id(response: BrowserResponse) -> str:
    """Return the id of the first trace on a page."""
    return find_id_between("/traces/", "/glance/", response)


def add_and_rename_trace(who: Visitor, entry: str) -> dict[str, str]:
    """Add a trace to an entry and rename the trace; return the ids of the trace and the change."""
    kept = who.post(f"/entries/{entry}/traces/keep/", script=True, name=f"A trace of {who.name}")
    trace = find_trace_id(kept)
    renamed = who.post(f"/traces/{trace}/rename/", name=f"Another of {who.name}")
    return {"trace": trace, "change": parse_qs(urlsplit(renamed.headers["location"]).query)["changed"][0]}


def get_reply(who: Visitor, entry: str) -> str:
    """Request a reply and wait until it has ended, even with an error; return its id."""
    reply = who.respond(entry)
    deadline = time.monotonic() + 120
    while read(who.fetch(f"/replies/{reply}/")).has('[data-state="writing"], [data-state="waiting"]'):
        assert time.monotonic() < deadline, "the reply did not end"
        time.sleep(0.05)
    return reply


def create_household(server: Server, model: FakeModelServer) -> AttackedHouse:
    administrator = Visitor.join(server, "Kay", set_up=set_up_token(server))
    people = [Visitor.join(server, name) for name in ("Olive", "Humphrey")]
    return AttackedHouse(
        server=server, model=model, administrator=administrator, owner=people[0], housemate=people[1]
    )
