"""Fixtures of the client's tests: a scripted server, and the client that uses it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from llamora.client import Llamora, RetryPolicy
from tests.client.command_line import CommandLine
from tests.client.scripted_api import TOKEN, ScriptedApi

QUICK = RetryPolicy(first_wait=0.01)


@pytest.fixture
def api() -> Iterator[ScriptedApi]:
    with ScriptedApi() as server:
        yield server


@pytest.fixture
def diary(api: ScriptedApi) -> Iterator[Llamora]:
    with Llamora(api.url, token=TOKEN, retries=QUICK, timeout=5) as client:
        yield client


@pytest.fixture
def commands(api: ScriptedApi, tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path / "home", api.url)
