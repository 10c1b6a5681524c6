"""Fixtures of the tests of MCP: a person with an unlocked diary, and assistants of theirs."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests import tokens
from tests.mcp.assistant import Assistant
from tests.people import Resident, register_resident


@pytest.fixture(autouse=True)
def forget_tokens() -> Iterator[None]:
    with tokens.forgotten_afterwards():
        yield


@pytest.fixture
def olive(db: None) -> Resident:
    """A person whose diary is unlocked in a browser."""
    return register_resident("Olive", signed_in=True)


MakeAssistant = Callable[..., Assistant]


@pytest.fixture
def make_assistant(olive: Resident) -> MakeAssistant:
    """Make an assistant of Olive's: with the scopes named, and terms as `TokenRequest` has them."""

    def make(*scopes: str, who: Resident = olive, **terms: Any) -> Assistant:
        return Assistant.create(who, *scopes, **terms)

    return make
