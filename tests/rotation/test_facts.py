"""Tests of undoing changes of facts, with a rotation or a kill in between."""

from uuid import UUID

import pytest

from accounts.rotation import services as rotation_services
from accounts.rotation.epoch_change import begin_rotation
from diary.models import Origin
from llamora.crypto import Keyring, in_force
from tests.people import Resident, register_resident
from tests.rotation.processes import KILLED, die_at_statement, run_forked
from traces.facts import services
from traces.facts.changes import is_chain_whole
from traces.facts.comparison import Strategy
from traces.facts.fact_body import FactText
from traces.facts.indexes import set_indexes
from traces.facts.models import Fact
from traces.facts.queries import get_fact, list_changes
from traces.facts.services import FactOrigin

pytestmark = pytest.mark.django_db(transaction=True)
COLUMNS = ("id", "owner_id", "entry_id", "successor_id", "state", "origin", "subject_index", "same_index")
Stored = dict[UUID, tuple[object, ...]]


@pytest.fixture
def olive() -> Resident:
    return register_resident("Olive")


def write_two(who: Resident) -> tuple[UUID, UUID]:
    """Save a fact and a proposal that touches it; return their ids."""
    with who.unlocked():
        earlier = services.add_fact(
            owner_id=who.id, text=FactText.create("You live in Boston"), where=FactOrigin()
        )
        quote = {"text": "I live in Boston, Massachusetts", "start": 3, "end": 34}
        where = FactOrigin(origin=Origin.MODEL, entry_id=UUID(int=7), details={"quote": quote})
        text = FactText.create("You live in Boston, Massachusetts")
        fact = services.propose_fact(owner_id=who.id, text=text, where=where)
    assert fact is not None
    return earlier.id, fact.id


def read_stored(who: Resident, keyring: Keyring) -> Stored:
    """Return the bytes of each fact's opened body, and all columns that a change can change."""
    body = Fact._meta.get_field("body")
    stored: Stored = {}
    with in_force(keyring):
        for values in Fact.objects.for_owner(who.id).values_list(*COLUMNS, "body"):
            row = dict(zip((*COLUMNS, "body"), values, strict=True))
            plain = body.unseal(keyring, row["body"].envelope, row)  # type: ignore[union-attr]
            stored[row["id"]] = (plain, *(row[name] for name in COLUMNS[2:6]))
        for fact in Fact.objects.for_owner(who.id):
            found = (bytes(fact.subject_index), bytes(fact.same_index))
            set_indexes(fact)
            assert found == (fact.subject_index, fact.same_index)
    return stored


def resolve(who: Resident, ids: tuple[UUID, UUID], strategy: Strategy, keyring: Keyring) -> None:
    with in_force(keyring):
        services.resolve_conflict(owner_id=who.id, fact_id=ids[1], earlier_id=ids[0], strategy=strategy)


def undo_both(who: Resident, ids: tuple[UUID, UUID], keyring: Keyring) -> None:
    with in_force(keyring):
        services.undo_change(owner_id=who.id, fact_id=ids[1])
        assert all(is_chain_whole(list_changes(get_fact(who.id, id_))) for id_ in ids)


@pytest.mark.parametrize("strategy", Strategy)
def test_each_strategy_is_undone_to_the_byte_after_a_rotation(olive: Resident, strategy: Strategy) -> None:
    ids = write_two(olive)
    before = read_stored(olive, olive.open_keyring())
    resolve(olive, ids, strategy, olive.open_keyring())
    assert read_stored(olive, olive.open_keyring()) != before

    rotation_services.resume_rotation(begin_rotation(olive.open_slot()).keyring)
    keyring = olive.open_keyring()
    assert keyring.epoch == 2
    undo_both(olive, ids, keyring)

    assert read_stored(olive, keyring) == before


@pytest.mark.parametrize("strategy", Strategy)
def test_a_strategy_that_is_killed_did_all_or_nothing_and_can_be_undone(
    olive: Resident, strategy: Strategy
) -> None:
    ids = write_two(olive)
    before = read_stored(olive, olive.keyring)
    deaths, at = 0, 1
    while is_killed(olive, ids, strategy, at=at):
        deaths, at = deaths + 1, at + 3
        if read_stored(olive, olive.keyring) != before:
            # It died after its commit.
            undo_both(olive, ids, olive.keyring)
            assert read_stored(olive, olive.keyring) == before
    assert deaths >= 4
    undo_both(olive, ids, olive.keyring)

    assert read_stored(olive, olive.keyring) == before


def is_killed(who: Resident, ids: tuple[UUID, UUID], strategy: Strategy, *, at: int) -> bool:
    """Resolve a conflict in a process that exits at its nth statement; return whether it got that far."""

    def run() -> None:
        die_at_statement(at)
        resolve(who, ids, strategy, who.keyring)

    code = run_forked(run)
    assert code in (0, KILLED)
    return code == KILLED
