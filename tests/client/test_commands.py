"""Tests of each command in a process: its output, its exit status, and secrets that it never prints."""

import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from llamora.client.commands.arguments import build_parser
from tests.client.command_line import CommandLine, Terminal
from tests.client.scripted_api import TOKEN, Fault, ScriptedApi, build_error, get_free_port
from tests.conftest import ROOT

DROPPED_AFTER_COMMIT = Fault(is_dropped=True, is_handled=True)


def test_a_forked_command_is_like_a_started_one(api: ScriptedApi, commands: CommandLine) -> None:
    commands.extra["TZ"] = "Pacific/Auckland"
    assert commands.can_be_forked()

    for arguments, code in [(("day", "2026-01-04"), 0), (("day", "none"), 1)]:
        forked = commands.run(*arguments, code=code)
        started = commands.run(*arguments, code=code, is_forked=False)
        assert (forked.stdout, forked.stderr) == (started.stdout, started.stderr)
        assert forked.stdout + forked.stderr

    commands.run("write", typed="Über dem Wehr.")
    commands.run("write", typed="Über dem Wehr.", is_forked=False)
    assert [entry["text"] for entry in api.entries[-2:]] == ["Über dem Wehr."] * 2


# --- Reading -----------------------------------------------------------------------------------------------


def test_status(commands: CommandLine) -> None:
    answer = commands.run("status")

    assert "diary     unlocked" in answer.stdout
    assert "scopes    diary:read diary:write chat" in answer.stdout
    assert answer.stderr == ""


def test_status_as_json(commands: CommandLine) -> None:
    status = json.loads(commands.run("status", "--json").stdout)

    assert status["token"] == {
        "kind": "ordinary",
        "scopes": ["diary:read", "diary:write", "chat"],
        "name": "Script",
    }


def test_days(commands: CommandLine) -> None:
    assert commands.run("days").stdout == "2026-01-05  1 entry\n2026-01-04  1 entry\n"
    assert commands.run("days", "--limit", "1").stdout == "2026-01-05  1 entry\n"
    found = commands.run("days", "--json", "--to", "2026-01-04").stdout
    assert json.loads(found) == {"day": "2026-01-04", "entry_count": 1}


def test_day(commands: CommandLine) -> None:
    commands.extra["TZ"] = "UTC"
    assert commands.run("day", "2026-01-04").stdout == "12:00\nThe kite flew over the weir.\n\n"
    assert json.loads(commands.run("--json", "day", "2026-01-04").stdout)["entries"][0]["day"] == "2026-01-04"


def test_a_day_without_entries_says_so_beside_the_data(commands: CommandLine) -> None:
    answer = commands.run("day", "2026-03-01")

    assert (answer.stdout, answer.stderr) == ("", "There are no entries on this day.\n")


def test_yesterday_is_the_day_before_today(api: ScriptedApi, commands: CommandLine) -> None:
    commands.extra["TZ"] = "UTC"
    days = [datetime.now(UTC).date() - timedelta(days=1)]

    commands.run("day", "yesterday")

    # Midnight may have come between.
    days.append(datetime.now(UTC).date() - timedelta(days=1))
    assert api.requests[0].path in [f"/api/v1/days/{day}" for day in days]


def test_search(commands: CommandLine) -> None:
    assert commands.run("search", "kite weir").stdout == "2026-01-04  entry    The kite flew over the weir.\n"
    assert json.loads(commands.run("search", "kite", "--json").stdout)["total"] == 1
    assert commands.run("search", "kite", "weir").stdout == commands.run("search", "kite weir").stdout
    assert commands.run("search", "zeppelin").stderr == "Nothing was found.\n"


def test_search_says_that_there_is_more(api: ScriptedApi, commands: CommandLine) -> None:
    for number in range(3):
        api.store({"text": f"Owl {number}", "day": "2026-02-01"})

    assert commands.run("search", "owl", "--limit", "2").stderr == "2 of 3. For more: --offset 2\n"
    assert "Owl 2" in commands.run("search", "owl", "--limit", "2", "--offset", "2").stdout


def test_search_waits_for_an_index_that_is_being_opened(api: ScriptedApi, commands: CommandLine) -> None:
    opening = {"results": [], "total": 0, "next_offset": None, "days": None, "state": "opening"}
    api.add_faults(*[Fault(status=200, body=opening)] * 2)

    assert "kite" in commands.run("search", "kite").stdout
    assert len(api.requests) == 3


def test_traces(api: ScriptedApi, commands: CommandLine) -> None:
    kite = api.entries[0]["id"]

    assert commands.run("traces").stdout == "kite  1 entry  2026-01-04 to 2026-01-04\n"
    assert commands.run("traces", "KITE").stdout == f"2026-01-04  {kite}\n"
    assert json.loads(commands.run("traces", "--json").stdout)["name"] == "kite"
    assert json.loads(commands.run("traces", "kite", "--json").stdout) == {"id": kite, "day": "2026-01-04"}
    assert commands.run("traces", "owl", code=1).stderr == "There is no trace of this name.\n"


def test_facts(api: ScriptedApi, commands: CommandLine, tmp_path: Path) -> None:
    fact = api.entries[0]["id"]

    assert commands.run("facts", "list", "--limit", "1").stdout == (
        f"{fact}  2026-01-04  The kite flew over the weir.\n"
    )
    assert json.loads(commands.run("facts", "show", fact, "--json").stdout)["id"] == fact
    for action in ("accept", "undo"):
        assert json.loads(commands.run("facts", action, fact, "--json").stdout)["action"] == action
    accepted = commands.run("facts", "accept", fact, "--strategy", "replace", "--json")
    assert json.loads(accepted.stdout)["strategy"] == "replace"
    assert fact not in commands.run("facts", "list", "--state", "proposed").stdout
    commands.run("facts", "export", str(tmp_path / "facts.json"))
    assert json.loads((tmp_path / "facts.json").read_text())["count"] == 2
    commands.run("facts", "export", str(tmp_path / "facts.json"), code=1)
    assert "deleted        True" in commands.run("facts", "delete", fact).stdout
    commands.run("facts", "show", code=2)


def test_memory(commands: CommandLine) -> None:
    assert "The kite flew over the weir." in commands.run("memory", "search", "kite").stdout
    assert commands.run("memory", "stats").stdout == "total          2\nindexed        2\n"
    commands.run("memory", "search", code=2)


def test_heartbeat(commands: CommandLine) -> None:
    assert commands.run("heartbeat").stdout == (
        "status         proposed\nmessage        It waits on today's page.\nmodel          tiny\n"
        "proposal-1  How is the kite?\n"
    )


@pytest.mark.parametrize("arguments", [("notes", "list"), ("notes", "search", "geese")])
def test_what_a_server_does_not_have_is_said_in_its_own_words(
    commands: CommandLine, arguments: tuple[str, ...]
) -> None:
    answer = commands.run(*arguments, code=1)

    assert answer.stdout == ""
    assert answer.stderr == (
        "There is nothing at this address.\nOr this version of the server does not have that call yet.\n"
    )


def test_export(commands: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "diary.json"

    answer = commands.run("export", str(path), "--format", "json")

    assert answer.stdout == f"{path}\n"
    assert json.loads(path.read_text())["format"] == "llamora.diary"
    assert commands.run("export", str(path), "--format", "json", code=1).stdout == ""
    commands.run("export", str(path), "--format", "json", "--force")


# --- Writing -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [("Grüße 🪁.",), ("Grüße", "🪁."), (), ("-",)])
def test_write(api: ScriptedApi, commands: CommandLine, words: tuple[str, ...]) -> None:
    answer = commands.run("write", *words, "--day", "2026-01-06", typed="Grüße 🪁.")

    (entry,) = [entry for entry in api.entries if entry["text"] == "Grüße 🪁."]
    assert answer.stdout == f"{entry['id']}\n"
    assert answer.stderr == "Saved on 2026-01-06.\n"
    assert commands.unsent == []


def test_a_text_for_the_inbox_is_said_to_wait_there(api: ScriptedApi, commands: CommandLine) -> None:
    pending = {"action": "pending", "id": "i1", "day": "2026-01-05", "entry": None}
    api.add_faults(Fault(status=201, body=pending))

    assert (
        commands.run("write", "Rain.").stderr == "The text waits in the Inbox until its owner accepts it.\n"
    )


def test_a_saved_text_that_the_token_may_not_read_is_said_to_be_saved(
    api: ScriptedApi, commands: CommandLine
) -> None:
    api.add_faults(
        Fault(status=201, body={"action": "created", "id": "e1", "day": "2026-01-05", "entry": None})
    )

    assert commands.run("write", "Rain.").stderr == "Saved on 2026-01-05.\n"


def test_an_empty_text_is_not_written(api: ScriptedApi, commands: CommandLine) -> None:
    commands.run("write", typed=" \n", code=2)

    assert api.requests == []


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault(status=423, body=build_error("locked", "Unlock it.")), 3),
        (Fault(status=403, body=build_error("missing_scope", "No.", scope="diary:write")), 4),
        (Fault(status=401, body=build_error("invalid_token", "No.")), 4),
        (Fault(status=422, body=build_error("invalid_field", "Too long.", field="text")), 1),
        (Fault(status=200, body=b"<html>"), 5),
    ],
)
def test_a_failed_write_loses_nothing(
    api: ScriptedApi, commands: CommandLine, fault: Fault, code: int
) -> None:
    text = "First line.\n\nKey: not a key\nGrüße.\n"
    api.add_faults(fault)

    answer = commands.run("write", "--day", "2026-01-05", typed=text, code=code)

    (saved,) = commands.unsent
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    assert stat.S_IMODE(saved.parent.stat().st_mode) == 0o700
    assert str(saved) in answer.stderr
    assert answer.stdout == ""
    assert api.count(text) == 0

    again = commands.run("write", "--resend", str(saved))

    assert again.stdout == f"{api.entries[-1]['id']}\n"
    assert (api.count(text), api.entries[-1]["day"], commands.unsent) == (1, "2026-01-05", [])


def test_a_text_that_arrived_after_all_is_not_stored_twice(api: ScriptedApi, commands: CommandLine) -> None:
    api.add_faults(*[DROPPED_AFTER_COMMIT] * 4)
    commands.run("write", "Rain.", code=5)
    (saved,) = commands.unsent

    commands.run("write", "--resend", str(saved))

    assert api.count("Rain.") == 1


def test_without_a_server_the_text_is_saved(commands: CommandLine) -> None:
    commands.extra["LLAMORA_URL"] = f"http://127.0.0.1:{get_free_port()}"

    answer = commands.run("write", "Rain.", code=5)

    assert "No server answers" in answer.stderr
    assert commands.unsent[0].read_text().endswith("\n\nRain.")


def test_without_a_token_the_text_is_saved(commands: CommandLine) -> None:
    commands.token_file.chmod(0o644)

    assert "chmod 600" in commands.run("write", typed="Rain.", code=2).stderr
    assert commands.unsent[0].read_text().endswith("\n\nRain.")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_write_that_is_stopped_loses_nothing(
    api: ScriptedApi, commands: CommandLine, number: signal.Signals
) -> None:
    api.add_faults(Fault(delay=30))
    process = subprocess.Popen(
        [*commands.command, "write", "Rain."],
        cwd=ROOT,
        env=commands.environment,
        stderr=subprocess.PIPE,
        preexec_fn=_hear_interrupts,  # noqa: PLW1509 - one call that takes no lock
    )
    deadline = time.monotonic() + 20
    while not api.requests and time.monotonic() < deadline:
        time.sleep(0.02)

    process.send_signal(number)
    _, said = process.communicate(timeout=20)

    assert process.returncode == 128 + number
    assert str(commands.unsent[0]).encode() in said
    assert commands.unsent[0].read_text().endswith("\n\nRain.")


def _hear_interrupts() -> None:
    """Restore the handling of SIGINT, which background shells disable in child processes."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_a_full_disk_shows_the_text(commands: CommandLine) -> None:
    commands.extra |= {"LLAMORA_URL": f"http://127.0.0.1:{get_free_port()}", "XDG_STATE_HOME": "/proc/absent"}
    commands.extra["TMPDIR"] = "/proc"
    program = (
        "import tempfile; tempfile.tempdir = '/proc'; import runpy, sys; sys.argv = ['c', 'write', 'Rain.'];"
    )
    commands.program = ("-c", program + "runpy.run_module('llamora.client', run_name='__main__')")

    assert commands.run(code=5).stderr.splitlines()[-2] == "Rain."


def test_a_file_that_is_no_unsent_text_is_refused(
    api: ScriptedApi, commands: CommandLine, tmp_path: Path
) -> None:
    (tmp_path / "other.txt").write_text("Rain.\n\nMore rain.")

    for name in ("other.txt", "absent.txt"):
        commands.run("write", "--resend", str(tmp_path / name), code=2)
    assert api.requests == []
    assert (tmp_path / "other.txt").exists()


def test_an_editor_writes_the_entry(api: ScriptedApi, commands: CommandLine, tmp_path: Path) -> None:
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nstat -c %a "$2" > "$1"\nprintf "From the editor." > "$2"\n')
    editor.chmod(0o700)
    commands.extra |= {"EDITOR": f"{editor} {tmp_path / 'mode'}", "XDG_RUNTIME_DIR": str(tmp_path)}

    with Terminal(commands, "write") as terminal:
        terminal.wait_for("Saved on")
        assert terminal.wait_for_end() == 0

    assert api.count("From the editor.") == 1
    assert (tmp_path / "mode").read_text() == "600\n"
    assert not list(tmp_path.glob("llamora-*"))


def test_an_editor_that_fails_loses_nothing(api: ScriptedApi, commands: CommandLine, tmp_path: Path) -> None:
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nprintf "Half a sen" > "$1"\nexit 1\n')
    editor.chmod(0o700)
    commands.extra |= {"EDITOR": str(editor), "XDG_RUNTIME_DIR": str(tmp_path)}

    with Terminal(commands, "write") as terminal:
        terminal.wait_for("The text is in")
        assert terminal.wait_for_end() == 2

    assert api.requests == []
    (path,) = tmp_path.glob("llamora-*/entry.md")
    assert path.read_text() == "Half a sen"


def test_an_editor_is_not_opened_without_a_token(commands: CommandLine, tmp_path: Path) -> None:
    commands.extra |= {"EDITOR": f"touch {tmp_path / 'opened'}"}
    commands.token_file.chmod(0o640)

    with Terminal(commands, "write") as terminal:
        assert terminal.wait_for_end() == 2

    assert not (tmp_path / "opened").exists()


# --- Asking ------------------------------------------------------------------------------------------------


def test_ask(commands: CommandLine) -> None:
    answer = commands.run("ask", "When did I fly the kite?")

    assert answer.stdout == (
        "On 4 January [1].\n\n[1] 2026-01-04  The kite flew over the weir.\nFact: The kite is red.\n"
    )
    assert answer.stderr == ""


def test_ask_as_json(commands: CommandLine) -> None:
    answer = json.loads(commands.run("ask", "--json", "-", typed="When?").stdout)

    assert (answer["response"], answer["sources"][0]["day"]) == ("On 4 January [1].", "2026-01-04")
    assert [fact["content"] for fact in answer["facts"]] == ["The kite is red."]
    assert set(answer) == {
        *("response", "session_id", "model", "sources"),
        *("facts", "finish_reason", "read_imported"),
    }


def test_ask_without_a_question(commands: CommandLine) -> None:
    commands.run("ask", " ", code=2)


RESTARTED = Fault(
    pieces=(
        b'event: start\ndata: {"session_id": "s", "sources": []}\n\n',
        b'event: token\ndata: {"text": "Wrong"}\n\n',
        b"event: restart\ndata: {}\n\n",
        b'event: token\ndata: {"text": "Right"}\n\n',
        b'event: done\ndata: {"finish_reason": "length", "read_imported": false, "response": "Right"}\n\n',
    )
)


def test_an_answer_that_begins_again_is_printed_once(api: ScriptedApi, commands: CommandLine) -> None:
    api.add_faults(RESTARTED, RESTARTED, RESTARTED)

    answer = commands.run("ask", "When?")
    assert answer.stdout == "Right\n"
    assert "maximum length" in answer.stderr
    assert json.loads(commands.run("ask", "When?", "--json").stdout)["response"] == "Right"
    with Terminal(commands, "ask", "When?") as terminal:
        terminal.wait_for("Wrong")
        terminal.wait_for("begins again")
        terminal.wait_for("Right")
        assert terminal.wait_for_end() == 0


def test_half_an_answer_is_shown_and_said_to_be_half(api: ScriptedApi, commands: CommandLine) -> None:
    start = b'event: start\ndata: {"session_id": "s", "sources": []}\n\n'
    api.add_faults(Fault(pieces=(start, b'event: token\ndata: {"text": "On 4"}\n\n'), cut=1))

    answer = commands.run("ask", "When?", code=5)

    assert answer.stdout == "On 4\n"
    assert "not complete" in answer.stderr


# --- Errors, output, options -------------------------------------------------------------------------------


def test_exit_codes(api: ScriptedApi, commands: CommandLine) -> None:
    commands.run("day", "not-a-day", code=1)
    commands.run("days", "--limit", "0", code=2)
    commands.run("unknown", code=2)
    commands.run("day", "--url", "http://diary.example", code=2)
    api.is_locked = True
    assert commands.run("day", code=3).stderr == "Unlock your diary in a browser, then try again.\n"
    api.is_locked = False
    commands.token_file.write_text("llamora_another\n")
    commands.run("day", code=4)
    commands.run("day", "--url", f"http://127.0.0.1:{get_free_port()}", code=5)


def test_a_wait_is_said(api: ScriptedApi, commands: CommandLine) -> None:
    api.add_faults(
        Fault(status=429, body=build_error("too_many_calls", "Wait."), headers={"Retry-After": "100"})
    )

    assert commands.run("days", code=1).stderr == "Wait. That is in 100 seconds.\n"


@pytest.mark.parametrize(
    "arguments", [("days",), ("days", "--json"), ("day", "2026-01-04"), ("search", "owl")]
)
def test_a_reader_that_has_enough_ends_it_quietly(
    api: ScriptedApi, commands: CommandLine, arguments: tuple[str, ...]
) -> None:
    for number in range(400):
        api.store(
            {"text": f"Owl {number} " + "o" * 4000, "day": f"2025-{number % 12 + 1:02}-{number % 28 + 1:02}"}
        )
        api.store({"text": "Owl " + "o" * 4000, "day": "2026-01-04"})
    pipe = f"{' '.join([*commands.command, *arguments])} | head -c 1"

    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", pipe],
        check=False,
        cwd=ROOT,
        env=commands.environment,
        capture_output=True,
        text=True,
    )

    assert len(done.stdout) == 1
    assert done.stderr == ""
    assert done.returncode in (0, 141)


def test_what_a_terminal_would_obey_is_not_printed(api: ScriptedApi, commands: CommandLine) -> None:
    api.store({"text": "a\x1b]0;title\x07\x9b31mb\r\tc", "day": "2026-01-03"})

    shown = commands.run("day", "2026-01-03").stdout
    assert "a]0;title31mb\tc" in shown
    found = commands.run("day", "2026-01-03", "--json").stdout
    assert not set(found) & {"\x1b", "\x07", "\x9b"}
    assert json.loads(found)["entries"][0]["text"] == "a\x1b]0;title\x07\x9b31mb\r\tc"


def test_headings_are_bold_in_a_terminal_that_wants_it(commands: CommandLine) -> None:
    with Terminal(commands, "day", "2026-01-04") as terminal:
        assert terminal.wait_for_end() == 0
    commands.extra["NO_COLOR"] = "1"
    with Terminal(commands, "day", "2026-01-04") as plain:
        assert plain.wait_for_end() == 0

    assert "\x1b[1m" in terminal.text
    assert "\x1b" not in plain.text
    assert "\x1b" not in commands.run("day", "2026-01-04").stdout


def test_every_option_has_a_help_text(commands: CommandLine) -> None:
    (commands_action,) = [each for each in build_parser()._actions if each.dest == "command"]
    for name, parser in commands_action.choices.items():  # type: ignore[union-attr]
        assert [action.dest for action in parser._actions if not action.help] == [], name
    assert "exit codes" in commands.run("--help").stdout.lower()


# --- The token ---------------------------------------------------------------------------------------------


def test_a_token_never_is_an_argument() -> None:
    (commands_action,) = [each for each in build_parser()._actions if each.dest == "command"]
    options = {flag for parser in commands_action.choices.values() for flag in parser._option_string_actions}  # type: ignore[union-attr]

    assert {flag for flag in options if "token" in flag} == {"--token-file", "--token-fd"}


def test_the_environments_value_is_not_a_token(commands: CommandLine) -> None:
    commands.extra |= {"LLAMORA_TOKEN": TOKEN, "LLAMORA_TOKEN_FILE": ""}

    assert "There is no access token" in commands.run("status", code=2).stderr


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_token_that_others_can_read_is_refused(api: ScriptedApi, commands: CommandLine, mode: int) -> None:
    commands.token_file.chmod(mode)

    assert f"chmod 600 {commands.token_file}" in commands.run("status", code=2).stderr
    assert api.requests == []


def test_a_token_comes_from_the_named_file(commands: CommandLine, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text(f"{TOKEN}\nsecond line\n")
    other.chmod(0o400)
    commands.extra["LLAMORA_TOKEN_FILE"] = str(tmp_path / "absent")

    commands.run("status", "--token-file", str(other))
    assert "absent" in commands.run("status", code=2).stderr


def test_a_token_comes_from_a_descriptor(commands: CommandLine) -> None:
    commands.extra["LLAMORA_TOKEN_FILE"] = ""

    commands.run("status", "--token-fd", "0", typed=f"{TOKEN}\n")
    script = f'exec 7<"{commands.token_file}"; exec {" ".join(commands.command)} status --token-fd 7'
    done = subprocess.run(["sh", "-c", script], check=False, cwd=ROOT, env=commands.environment)
    assert done.returncode == 0
    assert "descriptor 42" in commands.run("status", "--token-fd", "42", code=2).stderr


def test_a_token_is_typed_without_being_shown(commands: CommandLine) -> None:
    commands.extra["LLAMORA_TOKEN_FILE"] = ""

    with Terminal(commands, "status") as terminal:
        terminal.wait_for("Access token: ")
        terminal.type(f"{TOKEN}\n")
        assert terminal.wait_for_end() == 0

    assert "unlocked" in terminal.text
    assert TOKEN not in terminal.text


def test_nothing_is_asked_where_nobody_wants_to_be(commands: CommandLine) -> None:
    commands.extra["LLAMORA_TOKEN_FILE"] = ""

    with Terminal(commands, "status", "--no-input") as terminal:
        assert terminal.wait_for_end() == 2


def test_what_is_no_token_is_not_sent(api: ScriptedApi, commands: CommandLine) -> None:
    commands.token_file.write_bytes(b"gr\xc3\xbcn\n")

    commands.run("status", code=4)
    assert api.requests == []


# --- The configuration -------------------------------------------------------------------------------------


def test_a_config_is_made_and_used(api: ScriptedApi, commands: CommandLine) -> None:
    commands.extra |= {"LLAMORA_URL": "", "LLAMORA_TOKEN_FILE": ""}
    token_file = commands.folder / "config" / "llamora" / "token"

    with Terminal(commands, "config", "init") as terminal:
        terminal.wait_for("[http://127.0.0.1:8765]: ")
        terminal.type(f"{api.url}\n")
        terminal.wait_for(f"[{token_file}]: ")
        terminal.type("\n")
        terminal.wait_for("leave that file as it is: ")
        terminal.type(f"{TOKEN}\n")
        assert terminal.wait_for_end() == 0

    assert token_file.read_text() == f"{TOKEN}\n"
    assert {stat.S_IMODE(path.stat().st_mode) for path in (token_file, commands.config_file)} == {0o600}
    assert TOKEN not in terminal.text + commands.config_file.read_text()
    assert "unlocked" in commands.run("status").stdout
    shown = commands.run("config", "show")
    assert api.url in shown.stdout
    assert "token             set" in shown.stdout
    assert TOKEN not in shown.stdout


def test_a_config_is_made_without_questions(api: ScriptedApi, commands: CommandLine) -> None:
    answer = commands.run("config", "init", "--no-input", "--url", api.url)

    assert str(commands.config_file) in answer.stderr
    commands.extra |= {"LLAMORA_URL": "", "LLAMORA_TOKEN_FILE": ""}
    assert json.loads(commands.run("config", "show", "--json").stdout) == {
        "file": str(commands.config_file),
        "url": api.url,
        "token_file": str(commands.token_file),
        "token": "set",
        "ca_file": None,
        "allow_plain_http": False,
    }


@pytest.mark.parametrize("name", ['quote "and" back\\slash', "grün", "tab\tbell\x07"])
def test_any_name_of_a_file_is_read_as_it_was_written(commands: CommandLine, name: str) -> None:
    commands.run("config", "init", "--no-input", "--token-file", str(commands.folder / name))
    commands.extra |= {"LLAMORA_TOKEN_FILE": ""}

    assert json.loads(commands.run("config", "show", "--json").stdout)["token_file"].endswith(name)


@pytest.mark.parametrize(
    "text",
    [f'token = "{TOKEN}"', "url =", "colour = true", "url = 7", 'allow_plain_http = "yes"', "\x00", "\xff"],
)
def test_a_wrong_config_is_refused_without_its_content(commands: CommandLine, text: str) -> None:
    commands.config_file.parent.mkdir(parents=True)
    commands.config_file.write_bytes(text.encode("latin-1"))

    answer = commands.run("status", code=2)

    assert str(commands.config_file) in answer.stderr
    assert TOKEN not in answer.stderr


def test_a_config_with_an_unsafe_address_is_not_written(commands: CommandLine) -> None:
    commands.run("config", "init", "--no-input", "--url", "http://diary.example", code=2)

    assert not commands.config_file.exists()


# --- The chat ----------------------------------------------------------------------------------------------


def test_a_conversation(api: ScriptedApi, commands: CommandLine) -> None:
    with Terminal(commands, "chat") as terminal:
        terminal.wait_for("> ")
        terminal.type("When did I fly the kite?\n")
        terminal.wait_for("On 4 January [1].")
        terminal.wait_for("> ")
        terminal.type("Where?\n")
        terminal.wait_for("> ")
        terminal.type("/new\n")
        terminal.wait_for("> ")
        terminal.type("/help\n")
        terminal.wait_for("Ctrl-C stops")
        terminal.wait_for("> ")
        terminal.type("/frobnicate\n")
        terminal.wait_for("no such command")
        terminal.wait_for("> ")
        terminal.type("//etc is where?\n")
        terminal.wait_for("On 4 January [1].")
        terminal.wait_for("> ")
        terminal.type("/quit\n")
        assert terminal.wait_for_end() == 0

    asked = [request.body for request in api.requests]
    assert [body["message"] for body in asked] == ["When did I fly the kite?", "Where?", "/etc is where?"]
    first, second, third = [body.get("session_id") for body in asked]
    assert (first, third) == (None, None)
    assert second == api.sessions[0]
    assert f"chat --session {api.sessions[-1]}" in terminal.text


def test_ctrl_c_stops_the_answer_and_not_the_loop(api: ScriptedApi, commands: CommandLine) -> None:
    start = b'event: start\ndata: {"session_id": "s1", "sources": []}\n\n'
    words = [b'event: token\ndata: {"text": "word "}\n\n'] * 2000
    api.add_faults(Fault(pieces=(start, *words), piece_delay=0.01))

    with Terminal(commands, "chat") as terminal:
        terminal.wait_for("> ")
        terminal.type("Go on and on.\n")
        terminal.wait_for("word word ")
        terminal.type("\x03")
        terminal.wait_for("Stopped.")
        assert api.hung_up.wait(5)
        terminal.wait_for("> ")
        terminal.type("half a question\x03")
        terminal.wait_for("> ")
        terminal.type("When?\n")
        terminal.wait_for("On 4 January [1].")
        terminal.wait_for("> ")
        terminal.type("\x04")
        assert terminal.wait_for_end() == 0

    assert [request.body["message"] for request in api.requests] == ["Go on and on.", "When?"]


def test_a_failed_question_does_not_end_the_loop(api: ScriptedApi, commands: CommandLine) -> None:
    api.is_locked = True

    with Terminal(commands, "chat", "--session", "s9") as terminal:
        terminal.wait_for("> ")
        terminal.type("When?\n")
        terminal.wait_for("Unlock your diary in a browser")
        api.is_locked = False
        terminal.wait_for("> ")
        terminal.type("When?\n")
        terminal.wait_for("On 4 January [1].")
        terminal.wait_for("> ")
        terminal.type("\x04")
        assert terminal.wait_for_end() == 0

    assert api.requests[-1].body["session_id"] == "s9"


def test_a_token_that_is_revoked_ends_the_loop(api: ScriptedApi, commands: CommandLine) -> None:
    with Terminal(commands, "chat") as terminal:
        terminal.wait_for("> ")
        api.add_faults(Fault(status=401, body=build_error("invalid_token", "It is not valid.")))
        terminal.type("When?\n")
        assert terminal.wait_for_end() == 4


@pytest.mark.parametrize(("options", "recalled"), [((), False), (("--history",), True)])
def test_the_arrow_keys_recall_questions_only_if_wanted(
    api: ScriptedApi, commands: CommandLine, options: tuple[str, ...], *, recalled: bool
) -> None:
    with Terminal(commands, "chat", *options) as terminal:
        terminal.wait_for("> ")
        terminal.type("When?\n")
        terminal.wait_for("On 4 January [1].")
        terminal.wait_for("> ")
        terminal.type("\x1b[A\n")
        if recalled:
            terminal.wait_for("On 4 January [1].")
        terminal.wait_for("> ")
        terminal.type("/quit\n")
        assert terminal.wait_for_end() == 0

    assert [request.body["message"] for request in api.requests] == ["When?"] * (2 if recalled else 1)
    everything = [path.read_bytes() for path in commands.folder.rglob("*") if path.is_file()]
    assert not any(b"When?" in content for content in everything)


def test_questions_come_through_a_pipe(api: ScriptedApi, commands: CommandLine) -> None:
    answer = commands.run("chat", "--json", typed="When?\n\nWhere?\n/quit\nNever.\n")

    answers = [json.loads(line) for line in answer.stdout.splitlines()]
    assert [each["response"] for each in answers] == ["On 4 January [1]."] * 2
    assert answers[0]["session_id"] == answers[1]["session_id"]
    assert len(api.requests) == 2


# --- The zip -----------------------------------------------------------------------------------------------


def test_the_zip_is_the_whole_client(api: ScriptedApi, commands: CommandLine, tmp_path: Path) -> None:
    from llamora.client.bundle import build_zip

    (tmp_path / "client.zip").write_bytes(build_zip())
    commands.program = (str(tmp_path / "client.zip"),)
    isolated = [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, '{tmp_path}/client.zip')\n"]
    isolated[-1] += (
        f"import llamora.client as c; print(c.Llamora('{api.url}').get_health().status, c.__file__)"
    )
    (tmp_path / "elsewhere").mkdir()

    answer = subprocess.run(isolated, cwd=tmp_path / "elsewhere", capture_output=True, text=True, check=True)

    assert answer.stdout == f"ok {tmp_path}/client.zip/llamora/client/__init__.py\n"
    assert commands.run("days").stdout.startswith("2026-01-05")
    assert "usage: python client.zip" in commands.run("--help").stdout


def test_the_zip_says_what_it_needs(tmp_path: Path) -> None:
    from llamora.client.bundle import build_zip

    (tmp_path / "client.zip").write_bytes(build_zip())
    # Without the packages of the environment, as a machine that has Python alone.
    command = [sys.executable, "-I", "-S", str(tmp_path / "client.zip"), "--help"]

    answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr.startswith("This program needs the package httpx. Run: ")


def test_the_zip_is_the_same_each_time() -> None:
    from llamora.client.bundle import build_zip

    first = build_zip()
    build_zip.cache_clear()
    os.utime(ROOT / "llamora" / "client" / "bundle.py")

    assert build_zip() == first


def test_the_zip_imports_httpx_and_nothing_else_of_others(tmp_path: Path) -> None:
    from llamora.client.bundle import build_zip

    (tmp_path / "client.zip").write_bytes(build_zip())
    code = f"""
import sys; sys.path.insert(0, {str(tmp_path / "client.zip")!r})
import httpx; before = set(sys.modules)
import llamora.client, llamora.client.commands.runner, llamora.client.bundle
print(*sorted({{name.partition(".")[0] for name in set(sys.modules) - before}} - sys.stdlib_module_names))
"""
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["llamora"]
    assert not re.search(r"django", done.stdout)
