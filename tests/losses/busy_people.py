"""People who do everything at once until the server ends, and record what was confirmed.

Each has two browsers. The first writes, edits, deletes, restores, saves drafts, and sometimes changes the
password or the key. The second signs in, locks, unlocks and signs out. A request in progress at the end of
the server may have been done or not; everything else is certain.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from http.client import HTTPException
from random import Random
from typing import Any, Literal
from uuid import uuid4

from tests.browser_client import BrowserResponse, Visitor
from tests.fakes.waiting import wait_for
from tests.losses.savers import PAUSE, Save, make_text
from tests.server import Server
from tests.upgrade.household import get_export

KeyChange = Literal["", "key", "password"]
BrowserState = Literal["unlocked", "locked", "out"]
ANY_STATE: frozenset[BrowserState] = frozenset({"unlocked", "locked", "out"})
DONE = (200, 302)
FIRST_DRAFT = date(2001, 1, 1)


def get_state(browser: Visitor) -> BrowserState:
    """Return whether a browser shows its person's diary, or what it asks for."""
    answer = browser.get("/keys/")
    if answer.status == 200:
        return "unlocked"
    assert answer.status == 302, answer.status
    place = answer.headers["location"]
    assert place.startswith(("/unlock/", "/sign-in/")), place
    return "locked" if place.startswith("/unlock/") else "out"


@dataclass(frozen=True)
class ExpectedEntry:
    """An entry as it must be stored: its text, its earlier texts, and whether it is in the bin."""

    text: str = field(repr=False)
    earlier: tuple[str, ...] = field(default=(), repr=False)
    revision: int = 1
    is_deleted: bool = False

    @classmethod
    def from_export(cls, row: Any) -> "ExpectedEntry":
        earlier = sorted(row["versions"], key=lambda version: version["revision"])
        return cls(
            text=row["text"],
            earlier=tuple(version["text"] for version in earlier),
            revision=row["revision"],
            is_deleted=row["deleted_at"] is not None,
        )


@dataclass
class BusyPerson:
    """A person of a household whose server is killed."""

    first: Visitor
    second: Visitor
    chance: Random
    counts: Counter[str]
    entries: dict[str, ExpectedEntry] = field(default_factory=dict)
    # What was asked for and not answered.
    unanswered: list[Save] = field(default_factory=list)
    pending: dict[str, ExpectedEntry] = field(default_factory=dict)
    draft_days: list[str] = field(default_factory=list)
    drafts: dict[str, str] = field(default_factory=dict)
    pending_drafts: dict[str, str] = field(default_factory=dict)
    second_states: set[BrowserState] = field(default_factory=lambda: {"out"})
    # The newest last; with a change of the password under way, the last two.
    passwords: list[str] = field(default_factory=list)
    is_change_answered: bool = True
    key_change: KeyChange = ""
    changing: threading.Event = field(default_factory=threading.Event)
    changed: threading.Event = field(default_factory=threading.Event)
    confirmed: int = 0
    refused: list[BrowserResponse] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.first.name

    def begin_round(self, key_change: KeyChange) -> None:
        """Forget the counts of the round before; plan a change of the key or of the password, or none."""
        self.key_change, self.confirmed = key_change, 0
        self.changing.clear()
        self.changed.clear()

    # --- the first browser ---------------------------------------------------------------------------

    def act_until(self, stop: threading.Event) -> None:
        """Do one thing after another until the server ends; change the key after a while, if planned."""
        change_after = self.chance.randrange(4, 12)
        actions: tuple[Callable[[], None], ...] = (
            *(self.write, self.write, self.write, self.save_draft),
            *(self.edit, self.edit, self.delete, self.restore),
        )
        while not stop.is_set():
            try:
                if self.key_change and self.confirmed >= change_after and not self.changing.is_set():
                    self.change_key()
                else:
                    self.chance.choice(actions)()
                time.sleep(PAUSE)
            except (OSError, HTTPException):
                return

    def write(self) -> None:
        save = Save(str(uuid4()), make_text(self.name, self.counts["entries"]))
        self.unanswered.append(save)
        answer = self.first.save(save.text, key=save.key)
        if self._is_done(answer, "entries"):
            (entry_id,) = answer.entry_ids
            self.entries[entry_id] = ExpectedEntry(save.text)
            self.unanswered.remove(save)

    def edit(self) -> None:
        def change(entry: ExpectedEntry) -> ExpectedEntry:
            text = make_text(f"{self.name} again", self.counts["edits"])
            return ExpectedEntry(text, (*entry.earlier, entry.text), entry.revision + 1)

        self._change_entry("edits", "edit", change, is_deleted=False)

    def delete(self) -> None:
        self._change_entry("deletions", "delete", lambda entry: replace(entry, is_deleted=True))

    def restore(self) -> None:
        self._change_entry(
            "restored", "restore", lambda entry: replace(entry, is_deleted=False), is_deleted=True
        )

    def _change_entry(
        self,
        kind: str,
        path: str,
        change: Callable[[ExpectedEntry], ExpectedEntry],
        *,
        is_deleted: bool = False,
    ) -> None:
        possible = [each for each, entry in self.entries.items() if entry.is_deleted is is_deleted]
        if not possible:
            return
        entry_id = self.chance.choice(possible)
        before = self.entries[entry_id]
        self.pending[entry_id] = changed = change(before)
        fields = {"text": changed.text, "revision": str(before.revision)} if kind == "edits" else {}
        if self._is_done(self.first.post(f"/entries/{entry_id}/{path}/", **fields), kind):
            self.entries[entry_id] = self.pending.pop(entry_id)

    def save_draft(self) -> None:
        """Save a draft on a day of its own."""
        day = (FIRST_DRAFT + timedelta(days=len(self.draft_days))).isoformat()
        self.draft_days.append(day)
        self.pending_drafts[day] = text = make_text(f"{self.name} drafts", self.counts["drafts"])
        if self._is_done(self.first.save_draft(text, day=day), "drafts"):
            self.drafts[day] = self.pending_drafts.pop(day)

    def change_key(self) -> None:
        """Change the key or the password; a new password brings a new key, too."""
        old = self.first.password
        fields, path = {"current": old}, "/settings/key/"
        if self.key_change == "password":
            new = f"{self.passwords[0]} {len(self.passwords)}"
            self.passwords.append(new)
            fields |= {"password": new, "password_again": new}
            path = "/settings/password/"
        self.is_change_answered = False
        self.changing.set()
        if self._is_done(self.first.submit(path, fields), f"changes of the {self.key_change}"):
            self.is_change_answered = True
            self.first.password = self.passwords[-1]
            self.changed.set()

    def _is_done(self, answer: BrowserResponse, kind: str) -> bool:
        if answer.status not in DONE or answer.headers.get("location", "").startswith(
            ("/unlock/", "/sign-in/")
        ):
            self.refused.append(answer)
            return False
        self.confirmed += 1
        self.counts[kind] += 1
        return True

    # --- the second browser --------------------------------------------------------------------------

    def visit_until(self, stop: threading.Event) -> None:
        """Sign in, lock, unlock and sign out until the server ends."""
        while not stop.is_set():
            try:
                self._visit_once()
                time.sleep(PAUSE)
            except (OSError, HTTPException):
                return

    def _visit_once(self) -> None:
        (state,) = self.second_states
        if state == "out":
            self.second_states.add("unlocked")
            answer, following = self.second.sign_in(), "unlocked"
        elif self.chance.random() < 0.2:
            self.second_states.add("out")
            answer, following = self.second.post("/sign-out/"), "out"
        elif state == "unlocked":
            self.second_states.add("locked")
            answer, following = self.second.post("/lock/"), "locked"
        else:
            # The cookie is renewed: one that did not arrive is good for nothing.
            self.second_states |= {"unlocked", "out"}
            answer, following = self.second.unlock(), "unlocked"
        if self.key_change:
            # The key change signs this browser out, and its password may be the former one.
            self.second_states = {get_state(self.second)}
        else:
            assert answer.status == 302, answer.status
            self.second_states = {following}
        self.counts["steps of sessions"] += 1

    # --- after a restart -----------------------------------------------------------------------------

    def move_to(self, server: Server) -> None:
        """Check what both browsers are asked for, and let the first go on, signed in anew if it must."""
        assert not self.refused, [(each.status, each.headers) for each in self.refused]
        for browser in (self.first, self.second):
            browser.move_to(server)
        allowed = ANY_STATE if self.key_change else self.second_states
        found = get_state(self.second)
        assert found in allowed, (found, allowed)
        self.second_states = {found}
        self.counts[f"second browsers found {found}"] += 1
        state = get_state(self.first)
        if self.is_change_answered:
            assert state == "unlocked"
            self.counts["first browsers that went on"] += 1
        else:
            self._find_password()
            if state != "unlocked":
                self.first = self._sign_in_anew()
                self.counts["first browsers signed in anew"] += 1
        self.second.password = self.first.password

    def _find_password(self) -> None:
        """Sign in with the new password or else with the former one, after a change without an answer."""
        asked = self.passwords[-2:] if self.key_change == "password" else self.passwords[-1:]
        opening = []
        for password in asked:
            self.first.password = password
            browser = self.first.another()
            if browser.sign_in().status == 302:
                opening.append(password)
        (self.first.password,) = opening
        if opening[0] != self.passwords[-1]:
            self.passwords.pop()
        self.is_change_answered = True

    def _sign_in_anew(self) -> Visitor:
        browser = self.first.another()
        assert browser.sign_in().status == 302
        assert get_state(browser) == "unlocked"
        return browser

    def finish_rotation(self, count_former_keys: Callable[[str], int]) -> None:
        """Unlock the diary in one more browser, and check that this ends the key change."""
        self._sign_in_anew()
        wait_for(lambda: not count_former_keys(self.first.owner), seconds=30)
        self.counts["key changes finished after a kill"] += 1

    def check_diary(self) -> None:
        """Send what was not answered again, as a page does, and compare everything with the export."""
        for save in self.unanswered:
            for _ in range(2):
                assert self.first.save(save.text, key=save.key).status == 200
        export = get_export(self.first)
        self._check_entries({row["id"]: ExpectedEntry.from_export(row) for row in export["entries"]})
        self._check_drafts({row["day"]: row["text"] for row in export["others"]["drafts"]})

    def _check_entries(self, found: dict[str, ExpectedEntry]) -> None:
        for entry_id, changed in self.pending.items():
            if found.get(entry_id) == changed:
                self.entries[entry_id] = changed
        new = {entry_id: entry for entry_id, entry in found.items() if entry_id not in self.entries}
        assert sorted(entry.text for entry in new.values()) == sorted(save.text for save in self.unanswered)
        assert all(entry == ExpectedEntry(entry.text) for entry in new.values())
        self.entries |= new
        assert found == self.entries
        self.counts["sent again"] += len(self.unanswered)
        self.unanswered.clear()
        self.pending.clear()

    def _check_drafts(self, found: dict[str, str]) -> None:
        assert self.drafts.items() <= found.items()
        assert found.items() <= (self.drafts | self.pending_drafts).items()
        self.drafts = found
        self.pending_drafts.clear()
