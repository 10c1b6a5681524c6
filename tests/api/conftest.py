"""Fixtures of the tests of the API: a person, and programs with tokens of theirs."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests import tokens
from tests.api.program import Program
from tests.people import Resident, register_resident


@pytest.fixture(autouse=True)
def forget_tokens() -> Iterator[None]:
    with tokens.forgotten_afterwards():
        yield


@pytest.fixture
def olive(db: None) -> Resident:
    """A person whose diary is unlocked in a browser."""
    return register_resident("Olive", signed_in=True)


MakeProgram = Callable[..., Program]


@pytest.fixture
def make_program(olive: Resident) -> MakeProgram:
    """Make a program of Olive's: with the scopes named, and terms as `TokenRequest` has them."""

    def make(*scopes: str, who: Resident = olive, **terms: Any) -> Program:
        return Program.create(who, *scopes, **terms)

    return make
