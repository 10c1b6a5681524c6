"""Tests of the README's example program, and of questions, with a household that has a model."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from llamora.client import ChatEnd, ChatStart, ChatText, Llamora
from tests.api.test_served import make_token
from tests.browser_client import Visitor, set_up_token
from tests.client.command_line import CommandLine, Terminal
from tests.client.conftest import QUICK
from tests.fakes.model_server import FakeModelServer, Script
from tests.fakes.script import make_unending
from tests.server import Server, run_server
from tests.test_docs import get_section

SCOPES = ("diary:read", "diary:write", "chat", "export")


@pytest.fixture(scope="module")
def model() -> Iterator[FakeModelServer]:
    with FakeModelServer() as found:
        yield found


@pytest.fixture(scope="module")
def server(model: FakeModelServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    address = {"LLAMORA_MODEL_URL": model.url}
    with run_server(tmp_path_factory.mktemp("household"), extra=address) as found:
        yield found


@pytest.fixture(scope="module")
def olive(server: Server) -> Visitor:
    olive = Visitor(server=server)
    olive.register("Olive", set_up=set_up_token(server))
    return olive


@pytest.fixture
def commands(server: Server, olive: Visitor, tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path / "home", server.base_url, make_token(olive, *SCOPES))


def test_a_stranger_with_a_token_writes_finds_asks_and_exports(
    model: FakeModelServer, commands: CommandLine, tmp_path: Path
) -> None:
    (program,) = re.findall(r"```python\n(import json, sys.*?)```", get_section("HTTP API"), re.DOTALL)
    (tmp_path / "stranger.py").write_text(program)
    model.add_scripts(Script(tokens=["On the ", "frozen ", "pond [1]."]))

    done = subprocess.run(
        [sys.executable, "stranger.py", commands.url, str(commands.token_file)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.stderr == ""
    written, found, answer, counts = done.stdout.splitlines()
    assert written.startswith("created ")
    assert found == "2026-01-05 A heron stood on the frozen pond."
    assert answer == "On the frozen pond [1]."
    assert "'entries': 1" in counts
    assert json.loads((tmp_path / "diary.json").read_text())["entries"]
    assert len(program.splitlines()) < 60


def test_questions_are_answered_with_their_sources(model: FakeModelServer, commands: CommandLine) -> None:
    with Llamora(commands.url, token=commands.token, retries=QUICK) as diary:
        saved = diary.write("Magnus mended the gate by the mill.", day="2026-01-06")
        model.add_scripts(Script(tokens=["Magnus ", "[1]."]), Script(tokens=["The gate [1]."]))

        whole = diary.chat("Who mended the gate?")
        events = list(diary.chat_stream("What did Magnus mend?", session_id=whole.session_id))

        assert (whole.response, whole.finish_reason) == ("Magnus [1].", "stop")
        assert saved.id in [source.id for source in whole.sources]
        assert isinstance(events[0], ChatStart)
        assert events[0].session_id == whole.session_id
        assert "".join(event.text for event in events if isinstance(event, ChatText)) == "The gate [1]."
        assert isinstance(events[-1], ChatEnd)
        assert events[-1].response == "The gate [1]."
        counts = {one.session_id: one.question_count for one in diary.list_sessions(page_size=1)}
        assert counts[whole.session_id] == 2
        diary.delete_session(whole.session_id)
        assert whole.session_id not in [one.session_id for one in diary.list_sessions()]


def test_a_conversation_in_a_terminal(model: FakeModelServer, commands: CommandLine) -> None:
    commands.run("write", "Ines sailed past the lighthouse.", "--day", "2026-01-07")
    model.add_scripts(make_unending(), Script(tokens=["Ines [1]."]))

    with Terminal(commands, "chat") as terminal:
        terminal.wait_for("> ")
        terminal.type("Who sailed past the lighthouse?\n")
        terminal.wait_for("\n")
        terminal.wait_for(" ")
        terminal.type("\x03")
        terminal.wait_for("Stopped.")
        assert model.wait_for_hang_up(seconds=20)
        terminal.wait_for("> ")
        terminal.type("Who sailed?\n")
        terminal.wait_for("Ines [1].")
        terminal.wait_for("> ")
        terminal.type("/quit\n")
        assert terminal.wait_for_end() == 0


def test_the_other_commands_for_memories(commands: CommandLine) -> None:
    commands.run("write", "Anton bakes rye bread.", "--day", "2026-01-08")

    assert "total_entries" in commands.run("memory", "stats").stdout
    assert "Anton bakes rye bread." in commands.run("memory", "search", "rye bread").stdout
    assert "is_begun       True" in commands.run("memory", "reindex").stdout


def test_a_check_in_by_the_command_line(
    server: Server, olive: Visitor, model: FakeModelServer, tmp_path: Path
) -> None:
    commands = CommandLine(tmp_path / "home", server.base_url, make_token(olive, *SCOPES, "notes"))
    commands.run("write", "Ruth planted the quince tree.", "--day", "2026-01-09")
    (tmp_path / "requests.md").write_text("- [ ] Ask me about the quince tree\n")

    nothing = commands.run("heartbeat")
    commands.run("notes", "save", "HEARTBEAT.md", str(tmp_path / "requests.md"))
    proposal = {"request": 1, "text": "How is the quince?", "quotes": ["planted the quince tree"]}
    answer = json.dumps({"nothing": False, "proposals": [proposal]})
    model.add_json_scripts(Script(tokens=[answer]), Script(tokens=[answer]))
    proposed = json.loads(commands.run("heartbeat", "--json").stdout)
    again = commands.run("heartbeat")

    assert nothing.stdout.startswith("status         no_requests\n")
    assert proposed["status"] == "proposed"
    assert proposed["proposals"][0]["text"] == "How is the quince?"
    # The same text is not proposed twice in a day.
    assert again.stdout.startswith("status         nothing\n")
