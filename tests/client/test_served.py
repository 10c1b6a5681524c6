"""Tests of the client with a real server: killed, stopped, busy, locked; each store adds one row."""

import asyncio
import collections
import doctest
import itertools
import json
import os
import random
import signal
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import llamora.client
from llamora.client import (
    AsyncLlamora,
    AuthenticationError,
    ChatText,
    Conflict,
    Invalid,
    Llamora,
    LlamoraError,
    Locked,
    NetworkError,
    NotFound,
    PermissionDenied,
    RateLimited,
    RetryPolicy,
    Timeout,
    calls,
    memory_calls,
    note_calls,
)
from tests.api.test_served import make_token
from tests.browser_client import Visitor, set_up_token
from tests.client.command_line import CommandLine
from tests.client.conftest import QUICK
from tests.client.cutting_proxy import CuttingProxy
from tests.client.test_examples import list_examples, run_examples
from tests.server import Server, run_server, start

# What a household without a model, and a version without these calls, can't do.
NOT_SERVED = ("chat", "session")
# A person may have so many, and each may call so often.
TOKENS = 6
FACTS = ("facts:read", "facts:propose", "facts:write")
FACT = {"content": "You own a kayak"}


@dataclass(kw_only=True)
class Household:
    """A served household with Olive's unlocked diary, and her token that writes entries as her own."""

    server: Server
    olive: Visitor
    token: str = field(repr=False)
    more_tokens: Iterator[str] = field(repr=False)
    memory_token: str = field(repr=False)

    def open(self, **options: Any) -> Llamora:
        return Llamora(self.server.base_url, **({"token": self.token, "retries": QUICK} | options))

    def list_texts(self, day: str) -> list[str | None]:
        with self.open(token=next(self.more_tokens)) as diary:
            return [entry.text for entry in diary.list_entries(day=day, page_size=7)]


def register(server: Server) -> Household:
    olive = Visitor(server=server)
    olive.register("Olive", set_up=set_up_token(server))
    tokens = [make_token(olive, "diary:read", "diary:write", "export") for _ in range(TOKENS)]
    return Household(
        server=server,
        olive=olive,
        token=tokens[0],
        more_tokens=itertools.cycle(tokens),
        memory_token=make_token(olive, "diary:write", "export", "notes", *FACTS),
    )


@pytest.fixture(scope="module")
def household(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Household]:
    with run_server(tmp_path_factory.mktemp("household")) as server:
        found = register(server)
        with found.open() as diary:
            kite = diary.write("The kite flew over the weir.", day="2026-01-04")
        assert found.olive.post(f"/entries/{kite.id}/traces/keep/", script=True, name="kite").status == 200
        with found.open(token=found.memory_token) as diary:
            call = memory_calls.store(None, facts=[FACT], user_id=None, idempotency_key="kite")
            memory_id = diary.send(call)["facts"][0]["id"]
            assert diary.send(memory_calls.accept(memory_id))["action"] == "accepted"
        yield found


@pytest.fixture
def diary(household: Household) -> Iterator[Llamora]:
    with household.open(token=next(household.more_tokens)) as found:
        yield found


# --- Notes -----------------------------------------------------------------------------------------------


def test_the_command_saves_lists_shows_and_deletes_notes(household: Household, tmp_path: Path) -> None:
    olive = make_token(household.olive, "notes")
    commands = CommandLine(tmp_path / "home", household.server.base_url, olive)
    text = b"Roses\r\nin June\n"
    (tmp_path / "garden.md").write_bytes(text)

    saved = commands.run("notes", "save", "knowledge/garden.md", str(tmp_path / "garden.md"))
    again = commands.run("notes", "save", "knowledge/garden.md", typed="Lilies")

    assert saved.stdout == "knowledge/garden.md  revision 1  own_token\n"
    assert "revision 2" in again.stdout
    assert commands.run("notes", "show", "knowledge/garden.md").stdout == "Lilies"
    listed = "knowledge/garden.md  reference  own_token  6 bytes\n"
    assert commands.run("notes", "list").stdout == listed
    assert commands.run("notes", "search", "GARDEN").stdout == listed
    (shown,) = json.loads(commands.run("notes", "list", "--kind", "reference", "--json").stdout)["notes"]
    assert (shown["path"], shown["revision"]) == ("knowledge/garden.md", 2)
    commands.run("notes", "save", "../up.md", typed="x", code=1)
    commands.run("notes", "show", code=2)
    commands.run("notes", "delete", "knowledge/garden.md")
    assert commands.run("notes", "list").stdout == ""
    commands.run("notes", "show", "knowledge/garden.md", code=1)


def test_both_clients_send_calls_for_notes(household: Household) -> None:
    with household.open(token=household.memory_token) as diary:
        saved = diary.send(note_calls.save("knowledge/a.md", "one"))
        assert (saved["origin"], saved["is_used"]) == ("own_token", True)
        assert diary.send(note_calls.save("knowledge/a.md", "one"))["id"] == saved["id"]

    async def delete() -> list[str]:
        url, token = household.server.base_url, household.memory_token
        async with AsyncLlamora(url, token=token, retries=QUICK) as found:
            await found.send(note_calls.change(saved["id"], revision=1, path="knowledge/b.md"))
            listed = await found.send(note_calls.list_page(kind="reference"))
            await found.send(note_calls.delete(saved["id"]))
            return [note["path"] for note in listed["notes"]]

    assert asyncio.run(delete()) == ["knowledge/b.md"]


# --- What the docstrings say -------------------------------------------------------------------------------


@pytest.mark.every_case
@pytest.mark.parametrize(
    "test",
    [
        test
        for test in list_examples()
        if any(name in test.name for name in ("_client.Llamora", "_client.AsyncLlamora", "HarmoniaClient"))
        if not any(each in test.name.rpartition(".")[2] for each in NOT_SERVED)
    ],
    ids=lambda test: test.name,
)
def test_an_example_does_what_it_says(
    test: doctest.DocTest,
    household: Household,
    diary: Llamora,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    names = {name: getattr(llamora.client, name) for name in llamora.client.__all__}
    token = diary._connection.token
    assert token is not None
    memory = llamora.client.HarmoniaClient(household.server.base_url, token=household.memory_token)
    names |= {"memory": memory}
    names |= {
        "json": json,
        "folder": tmp_path,
        "url": household.server.base_url,
        "token": token,
        "diary": diary,
        "calls": calls,
    }

    assert run_examples(test, names, monkeypatch) == []


# --- One row for each store --------------------------------------------------------------------------------


@pytest.mark.parametrize("losses", [1, 3])
def test_a_lost_answer_is_one_row(household: Household, diary: Llamora, losses: int) -> None:
    token = diary._connection.token
    text = f"Lost {losses} times."
    with CuttingProxy(household.server.port) as proxy, Llamora(proxy.url, token=token, retries=QUICK) as lost:
        proxy.losses = losses

        answer = lost.write(text, day="2026-02-01")

        assert proxy.lost == losses
    assert answer.action == "no_change"
    assert answer.entry is not None
    assert [entry.text for entry in diary.list_entries(day="2026-02-01")].count(text) == 1
    assert diary.get_entry(answer.id).text == text


@pytest.mark.parametrize("is_streamed", [False, True])
@pytest.mark.parametrize("losses", [1, 3])
def test_a_question_whose_answer_is_lost_is_asked_once(
    household: Household, losses: int, is_streamed: bool
) -> None:
    token = make_token(household.olive, "chat")
    question = f"Where did the kite fly, lost {losses} times, {is_streamed}?"
    with CuttingProxy(household.server.port) as proxy, Llamora(proxy.url, token=token, retries=QUICK) as lost:
        proxy.losses = losses

        if is_streamed:
            texts = [event.text for event in lost.chat_stream(question) if isinstance(event, ChatText)]
        else:
            texts = [lost.chat(question).response]

        assert proxy.lost == losses
    assert "The kite flew over the weir." in "".join(texts)
    with household.open(token=token) as diary:
        (session,) = [one for one in diary.list_sessions() if one.name.startswith(question[:40])]
        assert session.question_count == 1


def test_an_answer_that_never_comes_is_an_error_and_one_row(household: Household, diary: Llamora) -> None:
    token = diary._connection.token
    with CuttingProxy(household.server.port) as proxy, Llamora(proxy.url, token=token, retries=QUICK) as lost:
        proxy.losses = 4

        with pytest.raises(NetworkError):
            lost.write("Four times lost.", day="2026-02-02", idempotency_key="the key of four")

    assert (
        diary.write("Four times lost.", day="2026-02-02", idempotency_key="the key of four").action
        == "no_change"
    )
    assert [entry.text for entry in diary.list_entries(day="2026-02-02")] == ["Four times lost."]


def test_a_server_that_is_slow_stores_one_row(household: Household, diary: Llamora) -> None:
    """The server stands still, and then has all repetitions before it at once."""
    token = diary._connection.token
    waits: list[float] = []
    patient = RetryPolicy(count=8, first_wait=0.05)
    wake = threading.Timer(2.0, os.kill, (household.server.pid, signal.SIGCONT))
    with household.open(token=token, timeout=0.5, retries=patient, on_wait=waits.append) as hasty:
        hasty.get_status()
        os.kill(household.server.pid, signal.SIGSTOP)
        wake.start()
        try:
            answer = hasty.write("Slow.", day="2026-02-03")
        finally:
            wake.join()
            os.kill(household.server.pid, signal.SIGCONT)

    assert len(waits) >= 2
    assert diary.get_entry(answer.id).text == "Slow."
    assert [entry.text for entry in diary.list_entries(day="2026-02-03")] == ["Slow."]


def test_a_server_that_stands_still_is_a_timeout(household: Household) -> None:
    with household.open(timeout=0.2, retries=RetryPolicy(count=1, first_wait=0.01)) as hasty:
        os.kill(household.server.pid, signal.SIGSTOP)
        try:
            with pytest.raises(Timeout):
                hasty.get_status()
        finally:
            os.kill(household.server.pid, signal.SIGCONT)


def test_a_server_that_is_killed_has_one_row_for_each_store(tmp_path: Path) -> None:
    """Someone writes while the server is killed and started again; what failed is sent once more."""
    server = start(tmp_path)
    found = register(server)
    failed: list[tuple[str, str]] = []
    texts: list[str] = []

    def write_all() -> None:
        with found.open(retries=RetryPolicy(count=1, first_wait=0.01)) as diary:
            # Some calls a minute are allowed, and the others come after the server is there again.
            while len(failed) < 5 and len(texts) < 60:
                texts.append(f"Number {len(texts)}")
                try:
                    diary.write(texts[-1], day="2026-02-04", idempotency_key=texts[-1])
                except LlamoraError as error:
                    failed.append((texts[-1], type(error).__name__))
                if len(texts) == 8:
                    has_begun.set()
                if len(texts) > 40:
                    has_ended.wait(1)

    has_begun, has_ended = threading.Event(), threading.Event()
    writer = threading.Thread(target=write_all)
    writer.start()
    assert has_begun.wait(20)
    server.kill()
    has_ended.set()
    writer.join(60)
    with run_server(tmp_path, "--port", str(server.port)) as again:
        found.olive.move_to(again)
        with found.open() as diary:
            with pytest.raises(Locked):
                diary.write("Locked.", day="2026-02-04")
            found.olive.unlock()
            for text, _ in failed:
                diary.write(text, day="2026-02-04", idempotency_key=text)
            rows = collections.Counter(entry.text for entry in diary.list_entries(day="2026-02-04"))

    assert {name for _, name in failed} == {"NetworkError"}
    assert rows == dict.fromkeys(texts, 1)


def test_an_idempotency_key_of_another_text_is_a_conflict(diary: Llamora) -> None:
    diary.write("One.", day="2026-02-05", idempotency_key="a key")

    with pytest.raises(Conflict) as caught:
        diary.write("Another.", day="2026-02-05", idempotency_key="a key")
    assert caught.value.code == "idempotency_key_reused"


# --- Files -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("export_format", ["zip", "json", "markdown"])
def test_an_export_is_whole(diary: Llamora, tmp_path: Path, export_format: str) -> None:
    path = diary.export(tmp_path / "diary", export_format=export_format)

    assert "The kite flew over the weir." in read_export(path, export_format)


@pytest.mark.parametrize("export_format", ["zip", "json", "markdown"])
def test_an_export_that_is_cut_off_begins_again(
    household: Household, diary: Llamora, tmp_path: Path, export_format: str
) -> None:
    token = diary._connection.token
    # Not such as a zip makes short.
    text = "A long entry. " + random.Random(1).randbytes(40_000).hex()
    diary.write(text, day="2026-02-10", idempotency_key="a long entry")
    with CuttingProxy(household.server.port) as proxy, Llamora(proxy.url, token=token, retries=QUICK) as cut:
        proxy.losses, proxy.let_through = 2, 20_000

        path = cut.export(tmp_path / "diary", export_format=export_format)

        assert proxy.lost == 2
    assert "A long entry." in read_export(path, export_format)
    assert os.listdir(tmp_path) == ["diary"]


def read_export(path: Path, export_format: str) -> str:
    if export_format != "zip":
        return path.read_text()
    with zipfile.ZipFile(path) as file:
        assert file.testzip() is None
        return file.read("diary.json").decode()


# --- The right error ---------------------------------------------------------------------------------------


def test_each_refusal_is_its_own_error(household: Household, diary: Llamora) -> None:
    entry = diary.write("Refused.", day="2026-02-06").entry
    assert entry is not None
    reader = make_token(household.olive, "diary:read")
    with household.open(token=reader) as only_reads, pytest.raises(PermissionDenied) as denied:
        only_reads.write("No.", day="2026-02-06")
    with household.open(token=reader[:-8] + "aaaaaaaa") as wrong, pytest.raises(AuthenticationError):
        wrong.get_status()
    with pytest.raises(Conflict) as conflict:
        diary.edit_entry(entry.id, revision=entry.revision + 1, text="No.")
    with pytest.raises(NotFound):
        diary.get_entry("00000000-0000-0000-0000-000000000000")
    with pytest.raises(Invalid) as invalid:
        diary.write("", day="2026-02-06")
    with pytest.raises(Invalid) as too_large:
        diary.write("é" * (5 << 20), day="2026-02-06")

    assert denied.value.scope == "diary:write"
    assert conflict.value.revision == entry.revision
    assert invalid.value.field == "text"
    assert too_large.value.status == 413


def test_too_many_calls_are_refused_with_a_time(household: Household) -> None:
    token = make_token(household.olive, "diary:read")
    with (
        household.open(token=token, retries=RetryPolicy(count=0)) as diary,
        pytest.raises(RateLimited) as caught,
    ):
        collections.deque((diary.get_status() for _ in range(200)), maxlen=0)

    assert caught.value.retry_after is not None
    assert 1 <= caught.value.retry_after <= 60


# --- The command line --------------------------------------------------------------------------------------


@pytest.fixture
def commands(household: Household, diary: Llamora, tmp_path: Path) -> CommandLine:
    token = diary._connection.token
    assert token is not None
    return CommandLine(tmp_path / "home", household.server.base_url, token)


def test_a_text_goes_in_and_comes_out(commands: CommandLine) -> None:
    entry_id = commands.run("write", "--day", "2026-02-07", typed="Grüße 🪁.\n").stdout.strip()

    day = json.loads(commands.run("day", "2026-02-07", "--json").stdout)
    assert [(entry["id"], entry["text"]) for entry in day["entries"]] == [(entry_id, "Grüße 🪁.\n")]
    assert "2026-02-07  1 entry" in commands.run("days", "--from", "2026-02-07").stdout
    assert "diary     unlocked" in commands.run("status").stdout


def test_a_program_that_only_sends_is_told_where_its_text_waits(
    household: Household, commands: CommandLine
) -> None:
    page = household.olive.post("/settings/programs/", name="Bell", kind="drop", lifetime_days="0")
    commands.token = next(
        word for word in page.body.replace("<", " ").replace(">", " ").split() if len(word) == 94
    )
    commands.token_file.write_text(commands.token)

    answer = commands.run("write", "Rain.", "--day", "2026-02-08")

    assert "waits in the Inbox" in answer.stderr
    assert "diary:read" in commands.run("day", "2026-02-08", code=4).stderr


def test_the_client_that_the_server_gives_works(
    household: Household, commands: CommandLine, tmp_path: Path
) -> None:
    zip_file = tmp_path / "client.zip"
    zip_file.write_bytes(Llamora(household.server.base_url).fetch(calls.get_client()).body)
    commands.program = (str(zip_file),)

    assert "diary     unlocked" in commands.run("status").stdout


async def test_asynchronous_calls_run_beside_each_other(household: Household, diary: Llamora) -> None:
    import asyncio

    async with AsyncLlamora(household.server.base_url, token=diary._connection.token) as beside:
        answers = await asyncio.gather(*(beside.write(f"Beside {n}", day="2026-02-09") for n in range(8)))

    assert {answer.action for answer in answers} == {"created"}
    assert len(household.list_texts("2026-02-09")) == 8
