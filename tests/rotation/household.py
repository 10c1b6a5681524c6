"""A state machine for Hypothesis: events of a household on real files, in any order.

The expected state of the people is stored in plain dicts beside the database, and updated with each event: a
person leaves, a backup is restored, a process is killed. After every step, each valid secret must open all
texts of its owner, also with the independent reader, and a thief tries every secret and row that ever
existed.
"""

import shutil
import threading
from collections.abc import Iterable
from contextlib import ExitStack
from copy import deepcopy
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import mkdtemp
from typing import ClassVar, TypeVar
from uuid import uuid4

import pytest
from django.db import connections
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from accounts.auth.services import invitations
from accounts.auth.services.login import sign_in_with_password, unlock_with_password
from accounts.auth.services.reauth import Reauthentication
from accounts.auth.services.recovery import recover_account
from accounts.errors import InvalidInvitation, LastAdministrator
from accounts.keys import vault_state
from accounts.models import FormerKey, KeySlot, Person, SignIn, SlotKind, Vault
from accounts.rotation.completion import destroy_former_keys
from accounts.rotation.epoch_change import begin_rotation
from accounts.rotation.reencryption import reencrypt_all
from accounts.rotation.sealed_tables import list_sealed_tables
from accounts.security import deletion
from accounts.security import services as security_services
from accounts.sessions import services as sessions_services
from accounts.sessions.cookies import SessionCookie
from accounts.sessions.registry import session_registry
from accounts.throttling.throttle import throttle
from diary.drafts.late_drafts import store_late_draft
from diary.drafts.services import SubmittedDraft, save_draft
from diary.entries.services import edit_entry, save_entry
from diary.models import Entry
from llamora.crypto import Keyring, in_force
from llamora.ops.backup import create, restore
from llamora.ops.backup.verify_secret import using_database_file
from search.index import workers
from search.index.registry import indexes
from tests.fakes.waiting import PATIENCE
from tests.rotation import expected_state
from tests.rotation.expected_state import (
    ExpectedPerson,
    People,
    get_merged_drafts,
    list_envelopes,
    open_with_right_secret,
    register,
)
from tests.rotation.processes import KILLED, die_at_statement, run_forked
from tests.rotation.thief import Thief, get_vault_state, rolled_back, try_data_key

T = TypeVar("T")
NAMES = ("Karin", "Olive", "Humphrey")
ADDRESS, NOW = "192.0.2.1", datetime(2026, 11, 20, 10, 15, tzinfo=UTC)
FIRST_DAY, DRAFTS, LATE = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)

WHO = st.integers(0, len(NAMES) - 1)
WHICH = st.integers(0, 9)
WORDS = st.sampled_from(["a heron", "Grüße, 日記 🌙", "two\n\n  lines", "ﬁ e\u0301 \u202e", "x" * 300])


class HouseholdMachine(RuleBasedStateMachine):
    """The state machine: events of people, a thief and the server."""

    empty: ClassVar[Path] = Path()

    def __init__(self) -> None:
        super().__init__()
        self.people: People = {}
        self.backups: list[tuple[Path, People]] = []
        self.thief = Thief()
        self.count = 0
        self.folder = Path(mkdtemp(dir=self.empty.parent))
        self.database = self.folder / "house" / "llamora.sqlite3"
        self.database.parent.mkdir(mode=0o700)
        shutil.copy(self.empty, self.database)
        self.ending = ExitStack()
        self.ending.callback(shutil.rmtree, self.folder)
        self.ending.enter_context(using_database_file(self.database))

    def teardown(self) -> None:
        """Close the machine."""
        self._stop_process()
        self.ending.close()

    def close(self) -> None:
        """Close the machine; for tests that call events directly."""
        self.teardown()

    # --- coming in and going ------------------------------------------------------------------------

    @initialize()
    def create_household(self) -> None:
        self._register("Karin", is_keeper=True, token="")
        self.invite()
        for who, words in enumerate(("a lamp", "a marsh")):
            self.write(who=who, words=words)
            self.save_draft(who=who, words=words)
        self.back_up()

    @precondition(lambda self: len(self.people) < len(NAMES))
    @rule()
    def invite(self) -> None:
        _, token = invitations.create_invitation(by=Person.objects.get(is_staff=True))
        name = next(name for name in NAMES if name not in self.people)
        self._register(name, is_keeper=False, token=token)
        self.thief.tokens.add(token)
        with pytest.raises(InvalidInvitation):
            self._register("Nobody", is_keeper=False, token=token)

    @rule(who=WHO)
    def sign_in(self, who: int) -> None:
        self._sign_in(self._person(who))

    @precondition(lambda self: any(each["former"] for each in self.people.values()))
    @rule()
    def sign_in_to_unfinished_rotation(self) -> None:
        self._sign_in(next(each for each in self.people.values() if each["former"]))

    @rule(who=WHO, which=WHICH)
    def lock(self, who: int, which: int) -> None:
        person = self._person(who)
        if person["browsers"]:
            cookie = _choose_one(person["browsers"], which)
            sessions_services.lock_session(sign_in_id=cookie.sign_in_id, person_id=person["id"])
            person["browsers"][cookie] = False

    @precondition(lambda self: any(False in each["browsers"].values() for each in self.people.values()))
    @rule(which=WHICH)
    def unlock(self, which: int) -> None:
        locked = [(p, c) for p in self.people.values() for c, is_open in p["browsers"].items() if not is_open]
        person, cookie = _choose_one(locked, which)
        here = sessions_services.open_session(cookie)
        renewed = unlock_with_password(request_vault=here, password=person["password"], address=ADDRESS)
        del person["browsers"][cookie]
        self._record_unlock(person, renewed.cookie)

    @rule(who=WHO, which=WHICH)
    def sign_out(self, who: int, which: int) -> None:
        person = self._person(who)
        if person["browsers"]:
            cookie = _choose_one(person["browsers"], which)
            sessions_services.end_session(sign_in_id=cookie.sign_in_id, person_id=person["id"])
            del person["browsers"][cookie]

    @precondition(lambda self: len(self.people) > 1)
    @rule(who=WHO)
    def delete_account(self, who: int) -> None:
        person = self._person(who)
        asked = self._build_reauthentication(person)
        if person["is_keeper"]:
            with pytest.raises(LastAdministrator):
                deletion.delete_own_account(asked)
            return
        deletion.delete_own_account(asked)
        del self.people[person["name"]]
        assert [table.name for table in list_sealed_tables() if list_envelopes(person["id"])] == []
        assert not KeySlot.objects.filter(owner_id=person["id"]).exists()

    # --- writing ------------------------------------------------------------------------------------

    @rule(who=WHO, words=WORDS)
    def write(self, who: int, words: str) -> None:
        person, text = self._person(who), self._new(words)
        with in_force(self._keyring(person)):
            saved = save_entry(owner_id=person["id"], day=FIRST_DAY, text=text, key=uuid4(), draft_revision=0)
            entry = saved.entry
        person["entries"][entry.id] = text

    @rule(who=WHO, which=WHICH, words=WORDS)
    def edit(self, who: int, which: int, words: str) -> None:
        person, text = self._person(who), self._new(words)
        if person["entries"]:
            entry_id = _choose_one(person["entries"], which)
            with in_force(self._keyring(person)):
                revision = Entry.objects.get(id=entry_id).revision
                edit_entry(owner_id=person["id"], entry_id=entry_id, text=text, revision=revision)
            person["versions"].append(person["entries"][entry_id])
            person["entries"][entry_id] = text

    @rule(who=WHO, words=WORDS)
    def save_draft(self, who: int, words: str) -> None:
        person, text = self._person(who), self._new(words)
        _, revision = person["drafts"].get(DRAFTS, ("", 0))
        sent = SubmittedDraft(owner_id=person["id"], day=DRAFTS, text=text, revision=revision)
        with in_force(self._keyring(person)):
            person["drafts"][DRAFTS] = (text, save_draft(sent).revision)

    @rule(who=WHO, words=WORDS)
    def save_late_draft(self, who: int, words: str) -> None:
        person, text = self._person(who), self._new(words)
        cookie = next((each for each, is_open in person["browsers"].items() if not is_open), None)
        if cookie is not None:
            day = LATE + timedelta(days=self.count)
            sent = SubmittedDraft(owner_id=person["id"], day=day, text=text, revision=0)
            person["late"][day] = (text, store_late_draft(sent, cookie=cookie))

    # --- secrets and keys ---------------------------------------------------------------------------

    @rule(who=WHO)
    def change_password(self, who: int) -> None:
        person, new = self._person(who), self._new("a password")
        asked = self._build_reauthentication(person)
        secured = security_services.replace_password(asked, new_password=new)
        person["password"] = new
        self._record_rotation(person, here=secured.cookie)

    @rule(who=WHO)
    def create_recovery_code(self, who: int) -> None:
        person = self._person(who)
        asked = self._build_reauthentication(person)
        secured = security_services.replace_recovery_code(asked)
        assert secured.recovery_code
        person["code"] = secured.recovery_code
        _confirm_code(person)
        self._record_rotation(person, here=secured.cookie)

    @rule(who=WHO)
    def recover(self, who: int) -> None:
        person, new = self._person(who), self._new("a password")
        recovered = recover_account(
            name=person["name"], code=person["code"], new_password=new, address=ADDRESS
        )
        person["password"], person["code"] = new, recovered.recovery_code
        _confirm_code(person)
        self._record_rotation(person, here=None)
        assert recovered.cookie is not None
        self._record_unlock(person, recovered.cookie)

    @rule(who=WHO)
    def reset_after_compromise(self, who: int) -> None:
        person, new = self._person(who), self._new("a password")
        asked = self._build_reauthentication(person)
        secured = security_services.reset_after_compromise(asked, new_password=new)
        assert secured.recovery_code
        person["password"], person["code"] = new, secured.recovery_code
        _confirm_code(person)
        self._record_rotation(person, here=secured.cookie)

    @rule(who=WHO)
    def rotate_key(self, who: int) -> None:
        person = self._person(who)
        asked = self._build_reauthentication(person)
        self._rotate_beside_old_slots(person)
        secured = security_services.rotate_data_key(asked)
        assert secured.refused_slots == ()
        self._record_rotation(person, here=secured.cookie)

    @rule(who=WHO, at=st.integers(10, 80))
    def kill_rotation(self, who: int, at: int) -> None:
        person = self._person(who)
        here = next(iter(_list_unlocked(person)), None)
        way_in, was_unfinished = open_with_right_secret(person), bool(person["former"])
        before, late = self._read_with_current_key(person), [text for text, _ in person["late"].values()]

        def turns() -> None:
            die_at_statement(at)
            keyring = (
                way_in.keyring if was_unfinished else begin_rotation(way_in, current_cookie=here).keyring
            )
            reencrypt_all(keyring, batch=2)
            destroy_former_keys(keyring)

        self._stop_process()
        assert run_forked(turns) in (0, KILLED)
        if Vault.objects.get(owner_id=person["id"]).epoch != person["epoch"]:
            # What came late was folded in under the key of then, just before it was turned.
            came = {each for each in self._read_with_current_key(person) if _has_text(each, late)}
            former = {person["data_key"]: before | came}
            self._record_rotation(person, here=here)
            person["former"] = former
        if not FormerKey.objects.filter(owner_id=person["id"]).exists():
            person["former"] = {}

    # --- the keeper ---------------------------------------------------------------------------------

    @rule()
    def back_up(self) -> None:
        house = create.HouseholdFiles(data_dir=self.database.parent, database=self.database, environment={})
        taken = create.create_backup(house, folder=self.folder / "backups", now=NOW)
        people = deepcopy(self.people)
        for person in people.values():
            person["browsers"] = {}
        self.backups.append((taken.path, people))

    @rule(which=WHICH)
    def restore(self, which: int) -> None:
        backup, people = _choose_one(self.backups, which)
        self._stop_process()
        restore.restore_backup(
            backup, database=self.database, key_file=self.database.parent / "secrets" / "key", now=NOW
        )
        self.people = deepcopy(people)
        assert not SignIn.objects.exists()

    # --- after every step ---------------------------------------------------------------------------

    @invariant()
    def check_all_secrets(self) -> None:
        throttle.clear()
        self.thief.copy_everything(self.people)
        sealed = {person["id"]: list_envelopes(person["id"]) for person in self.people.values()}
        for person in self.people.values():
            keyrings = [sessions_services.open_session(cookie).keyring for cookie in _list_unlocked(person)]
            keyrings += [open_with_right_secret(person, kind).keyring for kind in SlotKind]
            for keyring in keyrings:
                expected_state.check_all_texts(person, keyring)
            expected_state.check_all_envelopes(person, keyrings[-1], sealed[person["id"]])
            for secret in (person["password"], person["code"]):
                expected_state.check_with_independent_reader(person, secret, database=self.database)
        self.thief.try_everything(self.people, sealed=sealed)

    # --- how it is done -----------------------------------------------------------------------------

    def _read_with_current_key(self, person: ExpectedPerson) -> set[bytes]:
        """Return the plaintexts of a person that the current key opens."""
        return try_data_key(person["data_key"], list_envelopes(person["id"]), owner=person["id"])

    def _person(self, who: int) -> ExpectedPerson:
        return _choose_one(self.people.values(), who)

    def _new(self, words: str) -> str:
        """Return a unique text."""
        self.count += 1
        return f"{self.count}: {words}"

    def _register(self, name: str, *, is_keeper: bool, token: str) -> None:
        password = self._new("a password")
        self.people[name] = register(name, password=password, is_keeper=is_keeper, token=token)

    def _sign_in(self, person: ExpectedPerson) -> SessionCookie:
        cookie = sign_in_with_password(
            name=person["name"], password=person["password"], address=ADDRESS
        ).cookie
        self._record_unlock(person, cookie)
        return cookie

    def _record_unlock(self, person: ExpectedPerson, cookie: SessionCookie) -> None:
        """Record the effects of an unlock: late drafts are merged, and a rotation is finished."""
        _wait_for_rotations()
        person["browsers"][cookie] = True
        person["former"] = {}
        person["drafts"], person["late"] = person["drafts"] | get_merged_drafts(person), {}

    def _browser(self, person: ExpectedPerson) -> SessionCookie:
        """Return an unlocked browser of a person."""
        return next(iter(_list_unlocked(person)), None) or self._sign_in(person)

    def _keyring(self, person: ExpectedPerson) -> Keyring:
        return sessions_services.open_session(self._browser(person)).keyring

    def _build_reauthentication(self, person: ExpectedPerson) -> Reauthentication:
        cookie = self._browser(person)
        vault = sessions_services.open_session(cookie)
        return Reauthentication(vault=vault, cookie=cookie, password=person["password"], address=ADDRESS)

    def _record_rotation(self, person: ExpectedPerson, *, here: SessionCookie | None) -> None:
        _wait_for_rotations()
        person["browsers"] = {here: True} if here else {}
        person["former"] = {}
        person["epoch"] += 1
        person["data_key"] = open_with_right_secret(person).keyring.data_key()
        assert person["data_key"] not in self.thief.data_keys

    def _rotate_beside_old_slots(self, person: ExpectedPerson) -> None:
        """Check that a restored old slot opens nothing and gets no new key from a rotation."""
        for slot, _ in self.thief.list_old_slots(person, get_vault_state(person)):
            other = next(kind for kind in SlotKind if kind != slot.kind)
            with rolled_back():
                self.thief.replace_slot(slot, epoch=slot.epoch)
                refused = begin_rotation(open_with_right_secret(person, other)).refused_slots
            assert [each.kind for each in refused] == [slot.kind]

    def _stop_process(self) -> None:
        """Simulate the end of the process: clear its caches and close its database connections."""
        _wait_for_rotations()
        session_registry.clear()
        indexes.close_all()
        assert workers.close_connections(timeout=PATIENCE)
        connections.close_all()


def _has_text(plaintext: bytes, texts: Iterable[str]) -> bool:
    return any(text.encode() in plaintext for text in texts)


def _choose_one(of: Iterable[T], which: int) -> T:
    every = list(of)
    return every[which % len(every)]


def _list_unlocked(person: ExpectedPerson) -> list[SessionCookie]:
    return [cookie for cookie, is_open in person["browsers"].items() if is_open]


def _wait_for_rotations() -> None:
    for thread in threading.enumerate():
        if thread.name == "rotation":
            thread.join(PATIENCE)


def _confirm_code(person: ExpectedPerson) -> None:
    vault_state.confirm_code(open_with_right_secret(person).keyring)
