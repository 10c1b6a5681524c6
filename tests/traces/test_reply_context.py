"""Tests of the earlier entries that a reply's prompt includes by traces, and of their sources."""

from datetime import timedelta

import pytest

from diary.models import Entry
from tests.diary.tabs import ServingLoop, get_reply, wait_for_reply_row
from tests.fakes.model_server import FakeModelServer
from tests.page import read
from tests.people import Resident, new_resident
from tests.traces.tagging import add_traces
from traces.models import Trace


@pytest.fixture
def owner(live: ServingLoop, owner: Resident) -> Resident:
    """The person whose diary a test is about, with a serving loop."""
    return owner


def write_earlier(who: Resident, text: str, *, days: int, names: tuple[str, ...] = ("weir",)) -> Entry:
    entry = who.write(text, day=who.today - timedelta(days=days))
    add_traces(who, entry, *names)
    return entry


def get_last_prompt(model: FakeModelServer) -> str:
    return str(model.calls[-1]["messages"][-1]["content"])


def test_without_a_choice_no_earlier_day_is_read(owner: Resident, model: FakeModelServer) -> None:
    write_earlier(owner, "The weir froze.", days=3)
    entry = owner.write("Again to the weir.")
    add_traces(owner, entry, "weir")

    get_reply(owner, entry.id)

    assert "The weir froze." not in get_last_prompt(model)


def test_a_trace_chosen_this_once_brings_its_earlier_entries(owner: Resident, model: FakeModelServer) -> None:
    write_earlier(owner, "The weir froze.", days=300)
    write_earlier(owner, "The weir thawed.", days=3)
    write_earlier(owner, "Bread was baked.", days=2, names=("bread",))
    entry = owner.write("Again to the weir.")
    add_traces(owner, entry, "weir")
    trace = Trace.objects.for_owner(owner.id).first()
    assert trace is not None

    reply = get_reply(owner, entry.id, trace=str(trace.id))
    sources = owner.get(f"/replies/{reply}/read/", script=True).content.decode()
    get_reply(owner, entry.id)

    first = str(model.calls[0]["messages"][-1]["content"])
    assert (
        first.index("The weir froze.") < first.index("The weir thawed.") < first.index("Again to the weir.")
    )
    assert "Bread was baked." not in first
    assert "The weir froze." not in get_last_prompt(model), "chosen once is not chosen for good"
    assert sources.count("/entries/") == 3
    assert f'<a href="/traces/{trace.id}/"><bdi>weir</bdi></a>' in sources


def test_asked_again_the_same_is_read(owner: Resident, model: FakeModelServer) -> None:
    write_earlier(owner, "The weir froze.", days=300)
    entry = owner.write("Again to the weir.")
    (trace,) = add_traces(owner, entry, "weir")
    reply = get_reply(owner, entry.id, trace=str(trace.id))

    again = owner.post(f"/replies/{reply}/again/", script=True)
    wait_for_reply_row(owner, read(again).ids("reply-")[0])

    assert len(model.calls) == 2
    assert "The weir froze." in get_last_prompt(model)


def test_a_trace_that_is_always_read_is_read_for_every_entry(owner: Resident, model: FakeModelServer) -> None:
    write_earlier(owner, "The weir froze.", days=300)
    trace = Trace.objects.for_owner(owner.id).get()
    owner.post(f"/traces/{trace.id}/always/", wanted="on")

    get_reply(owner, owner.write("Bread today.").id)

    assert "The weir froze." in get_last_prompt(model)


def test_nothing_of_the_same_or_a_later_day_comes_by_a_trace(owner: Resident, model: FakeModelServer) -> None:
    entry = owner.write("Again to the weir.", day=owner.today - timedelta(days=5))
    (trace,) = add_traces(owner, entry, "weir")
    write_earlier(owner, "Later the weir broke.", days=4)
    add_traces(owner, owner.write("Later that day.", day=entry.day), "weir")

    reply = get_reply(owner, entry.id, trace=str(trace.id))
    sources = owner.get(f"/replies/{reply}/read/", script=True).content.decode()

    assert "Later the weir broke." not in get_last_prompt(model)
    assert "Later that day." not in get_last_prompt(model)
    assert get_last_prompt(model).count("Again to the weir.") == 1
    assert sources.count("/entries/") == 1


def test_what_does_not_fit_is_left_out_oldest_first_and_named(
    owner: Resident, model: FakeModelServer
) -> None:
    # The scripted server counts every character for a token.
    for number in range(12):
        write_earlier(owner, f"Weir {number}. " + "Water and stones. " * 60, days=100 - number)
    entry = owner.write("Again to the weir.")
    (trace,) = add_traces(owner, entry, "weir")

    reply = get_reply(owner, entry.id, trace=str(trace.id))
    sources = owner.get(f"/replies/{reply}/read/", script=True).content.decode()

    assert "Weir 11." in get_last_prompt(model)
    assert "Weir 0." not in get_last_prompt(model)
    kept, left_out = sources.split("Not read")
    assert kept.count("/entries/") + left_out.count("/entries/") == 13
    assert kept.count("/entries/") > 3
    assert left_out.count("/entries/") > 3


def test_the_traces_of_others_bring_nothing(owner: Resident, model: FakeModelServer) -> None:
    housemate = new_resident("Humphrey")
    theirs = housemate.write("A secret of Humphrey.", day=housemate.today - timedelta(days=3))
    (trace,) = add_traces(housemate, theirs, "weir")

    get_reply(owner, owner.write("Again to the weir.").id, trace=str(trace.id))

    assert "A secret of Humphrey." not in get_last_prompt(model)


def test_a_deleted_trace_or_entry_brings_nothing(owner: Resident, model: FakeModelServer) -> None:
    gone = write_earlier(owner, "The weir froze.", days=3)
    write_earlier(owner, "Bread was baked.", days=2, names=("bread",))
    weir, bread = Trace.objects.for_owner(owner.id)
    owner.post(f"/entries/{gone.id}/delete/", script=True)
    owner.post(f"/traces/{bread.id}/delete/")

    get_reply(owner, owner.write("Today.").id, trace=[str(weir.id), str(bread.id)])

    assert "The weir froze." not in get_last_prompt(model)
    assert "Bread was baked." not in get_last_prompt(model)
