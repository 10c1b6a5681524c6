"""The argument parser of the command line: commands and options."""

import argparse
import sys
from pathlib import Path
from typing import Any

from llamora.client.calls import EXPORT_FORMATS
from llamora.client.memory_calls import FACT_STATES, MEMORY_FORMATS, STRATEGIES
from llamora.client.note_calls import NOTE_KINDS

EXIT_CODES = """\
To begin: config init. The token comes from --token-file, LLAMORA_TOKEN_FILE, --token-fd,
client.toml or a prompt, never from an argument. Data goes to stdout, words to stderr.
COMMAND --help explains a command.
Exit codes: 0 done, 1 error, 2 wrong usage, 3 the diary is locked, 4 the token does not
allow it, 5 no server answers."""


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    common = _build_common_options()
    parser = argparse.ArgumentParser(
        prog=get_program_name(),
        description="A diary on a Llamora server, with an access token from Settings, Programs.",
        epilog=EXIT_CODES,
        parents=[common],
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def add(name: str, sentence: str) -> argparse.ArgumentParser:
        return commands.add_parser(
            name, help=sentence, description=sentence, parents=[common], allow_abbrev=False
        )

    add("status", "say whether the diary is unlocked, and what the model, the search and the token can do")
    _add_reading(add)
    write = add("write", "write an entry: an argument, stdin, or what you write in $EDITOR")
    write.add_argument(
        "text",
        nargs="*",
        action=_JoinWords,
        metavar="TEXT",
        help="the text; - or none reads stdin",
    )
    write.add_argument("--day", metavar="DAY", help="its day, as 2026-01-05 or yesterday; usually today")
    write.add_argument("--resend", metavar="FILE", help="send a text again that could not be sent")
    export = add("export", "save the whole diary in a file, complete or not at all")
    export.add_argument("path", nargs="?", metavar="PATH", help="the file; usually llamora-export.zip here")
    export.add_argument(
        "--format", choices=EXPORT_FORMATS, default="zip", help="zip (usual), json or markdown"
    )
    export.add_argument("--force", action="store_true", help="replace a file that is there")
    _add_conversation(add)
    _add_memories(add)
    config = add(
        "config",
        "write or show client.toml, in ~/.config/llamora: the server's address and the token's file",
    )
    config.add_argument("action", choices=("init", "show"), help="init writes it, show prints what is used")
    add(
        "mcp",
        "carry MCP messages between stdin, stdout and the server, for an assistant that starts a program",
    )
    return parser


def _add_reading(add) -> None:  # type: ignore[no-untyped-def]
    days = add("days", "list the days with entries, newest first")
    _add_range(days)
    days.add_argument("--limit", type=_parse_count, metavar="N", help="how many at most; usually all")
    day = add("day", "show a day: its opening, its entries and its recap")
    day.add_argument("day", nargs="?", metavar="DAY", help="2026-01-05, today (usual) or yesterday")
    search = add("search", "search the diary, as in its search box")
    search.add_argument(
        "query",
        nargs="+",
        action=_JoinWords,
        metavar="WORDS",
        help="""the words; with a phrase or a minus in quotes: '"at the weir" -rain'""",
    )
    _add_range(search)
    search.add_argument(
        "--limit", type=_parse_count, default=20, metavar="N", help="how many at most; usually 20"
    )
    search.add_argument("--offset", type=int, default=0, metavar="N", help="how many to leave out")

    traces = add("traces", "list the traces, or the entries that one is on")
    traces.add_argument("name", nargs="?", metavar="NAME", help="the trace whose entries are listed")


def _add_conversation(add) -> None:  # type: ignore[no-untyped-def]
    ask = add("ask", "ask a question about the diary, and print the answer as it is written")
    ask.add_argument(
        "question",
        nargs="+",
        action=_JoinWords,
        metavar="QUESTION",
        help="the question; - reads stdin",
    )
    chat = add("chat", "ask questions about the diary, one after another")
    chat.add_argument(
        "--history", action="store_true", help="let the arrow keys recall questions until you quit"
    )
    for command in (ask, chat):
        command.add_argument("--session", metavar="ID", help="continue this conversation")
        command.add_argument(
            "--model", metavar="NAME", help="the model that answers; usually the household's"
        )


def _add_memories(add) -> None:  # type: ignore[no-untyped-def]
    facts = add("facts", "list facts, show, accept or delete one, undo its last change, or export all")
    actions = ("list", "show", "accept", "delete", "undo", "export")
    facts.add_argument(
        "action", choices=actions, help="list and export concern all, the others the one named"
    )
    facts.add_argument("id", nargs="?", metavar="ID", help="which one; of export, the file")
    facts.add_argument("--limit", type=_parse_count, metavar="N", help="how many at most")
    facts.add_argument("--offset", type=int, metavar="N", help="how many to leave out")
    facts.add_argument("--format", choices=MEMORY_FORMATS, default="json", help="of export; usually json")
    facts.add_argument("--force", action="store_true", help="of export: replace a file that is there")
    facts.add_argument("--category", metavar="KIND", help="of list and export: only this kind")
    facts.add_argument(
        "--state", choices=FACT_STATES, help="of list and export: only these; usually those that are so now"
    )
    facts.add_argument(
        "--strategy", choices=STRATEGIES, help="of accept: what becomes of the earlier fact that it touches"
    )
    memory = add(
        "memory", "find passages as a model is given them, count what the index has, or build it again"
    )
    memory.add_argument("action", choices=("search", "stats", "reindex"), help="what to do")
    memory.add_argument("words", nargs="*", action=_JoinWords, metavar="WORDS", help="what to search for")
    memory.add_argument("--limit", type=_parse_count, metavar="N", help="how many at most")
    notes = add("notes", "list notes, find, show, save or delete one by its path")
    notes.add_argument("action", choices=("list", "search", "show", "save", "delete"), help="what to do")
    notes.add_argument("path", nargs="?", metavar="PATH", help="which one, as knowledge/garden.md")
    notes.add_argument(
        "file", nargs="?", metavar="FILE", help="of save: the text, in UTF-8; standard input without it"
    )
    notes.add_argument("--kind", choices=NOTE_KINDS, help="of list: only this kind")
    notes.add_argument("--limit", type=_parse_count, metavar="N", help="of list: how many at most")
    notes.add_argument("--offset", type=int, metavar="N", help="of list: how many to leave out")
    add("heartbeat", "make one check-in: the model looks at the standing requests once")


def _add_range(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--from", dest="from_day", metavar="DAY", help="the first day")
    parser.add_argument("--to", dest="to_day", metavar="DAY", help="the last day")


def _build_common_options() -> argparse.ArgumentParser:
    """Return the options that may stand before or after the command; options not given have no attribute."""
    parent = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    # Below those of a command, which a reader looks for.
    common = parent.add_argument_group("options of every command")
    common.add_argument("--url", metavar="URL", help="the server's address, as https://diary.home")
    common.add_argument("--token-file", metavar="FILE", help="file with the token, which only you can read")
    common.add_argument("--token-fd", type=int, metavar="N", help="descriptor from which the token is read")
    common.add_argument(
        "--ca-file", metavar="FILE", help="PEM file of the authority of the server's certificate"
    )
    common.add_argument(
        "--allow-plain-http", action="store_true", help="use http:// to another machine, unencrypted"
    )
    common.add_argument(
        "--timeout", type=_parse_seconds, metavar="SECONDS", help="how long to wait; usually 30"
    )
    common.add_argument(
        "--json", dest="is_json", action="store_true", help="print data as JSON, one value a line"
    )
    common.add_argument("--no-input", action="store_true", help="never ask for anything")
    return parent


class _JoinWords(argparse.Action):
    """argparse action that joins several words to one argument, so that they need no quotes."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        del parser, option_string
        setattr(namespace, self.dest, " ".join(values) if values else None)


def _parse_count(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= 1_000_000:
        raise argparse.ArgumentTypeError("it must be a number from 1 on")
    return int(text)


def _parse_seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds <= 86_400:
        raise argparse.ArgumentTypeError("it must be more than 0 and at most a day")
    return seconds


def get_program_name() -> str:
    """Return the program name for messages: the module or the zip file that was started."""
    started = Path(sys.argv[0] or "")
    return f"python {started.name}" if started.suffix == ".zip" else "python -m llamora.client"
