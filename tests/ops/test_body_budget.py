"""Tests of the limits on request bodies in memory: per sender and in total; the slowest sender is refused."""

import gc
import weakref
from types import SimpleNamespace
from typing import Any

import pytest
from daphne.http_protocol import WebRequest

from llamora.ops.server.body_budget import Body, BodyBudget
from llamora.ops.server.body_limits import InMemoryRequest


class Sender:
    """A sender of bodies; `refused` lists those that were refused in favour of others."""

    def __init__(self, budget: BodyBudget) -> None:
        self.budget, self.refused = budget, list[str]()

    def send(self, name: str, *, size: int, holder: str = "") -> Body | None:
        holder = holder or name
        body = Body(holder=holder, size=size, refuse=lambda: self.refused.append(name))
        return body if self.budget.add(body) else None


def test_a_body_counts_until_its_request_has_been_answered() -> None:
    sender = Sender(BodyBudget(most=10, most_per_holder=10))
    body = sender.send("olive", size=8)
    assert body
    body.is_complete = True

    assert sender.send("humphrey", size=8) is None
    sender.budget.remove(body)
    sender.budget.remove(body)

    assert sender.budget.get_size() == 0
    assert sender.send("humphrey", size=8)
    assert sender.refused == []


def test_of_a_holder_over_the_cap_the_oldest_gives_way_and_nobody_elses() -> None:
    sender = Sender(BodyBudget(most=100, most_per_holder=10))
    sender.send("another's", size=9, holder="b")
    for name in ("first", "second", "third"):
        assert sender.send(name, size=4, holder="a")

    assert sender.refused == ["first"]
    assert sender.budget.get_size() == 17


def test_a_full_budget_takes_from_the_holder_with_the_most() -> None:
    sender = Sender(BodyBudget(most=20, most_per_holder=15))
    sender.send("modest", size=5)
    for n in range(3):
        sender.send(f"hoarded {n}", size=5, holder="hoarder")

    assert sender.send("newcomer", size=5)

    assert sender.refused == ["hoarded 0"]


def test_a_newcomer_with_a_small_form_gets_in_among_many_strangers_with_half_sent_ones() -> None:
    sender = Sender(BodyBudget(most=640, most_per_holder=128))
    for n in range(50):
        assert sender.send(f"stranger {n}", size=64)

    assert sender.send("owner", size=1)
    assert sender.budget.get_size() <= 640
    assert "owner" not in sender.refused


@pytest.mark.parametrize("ends", ["finish", "connectionLost"])
def test_a_request_with_a_body_is_freed_when_it_ends(ends: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the cycle collector, so that no form stays in memory until it runs."""
    for name in ("finish", "connectionLost"):
        monkeypatch.setattr(WebRequest, name, lambda *_: None)
    factory = SimpleNamespace(server=SimpleNamespace(protocol_connected=id))
    channel = SimpleNamespace(getPeer=int, getHost=int, transport=None, factory=factory)
    request: Any = InMemoryRequest(channel)
    request.application_queue = None
    request._hold(5, budget=BodyBudget(most=10, most_per_holder=10), holder="address")
    seen = weakref.ref(request)
    gc.disable()
    try:
        getattr(request, ends)(*[None] * (ends == "connectionLost"))
        del request
        assert seen() is None
    finally:
        gc.enable()


def test_complete_bodies_do_not_give_way() -> None:
    sender = Sender(BodyBudget(most=10, most_per_holder=10))
    body = sender.send("olive", size=10)
    assert body
    body.is_complete = True

    assert sender.send("humphrey", size=1) is None
    assert sender.refused == []
    assert sender.budget.get_size() == 10
