"""The runner of commands: it creates the client, prints errors as sentences, and returns the exit code."""

import os
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence

from llamora.client.commands import configuration, conversation, mcp_bridge, memories, notes, reading, writing
from llamora.client.commands.arguments import build_parser
from llamora.client.commands.console import Console, UsageRefused
from llamora.client.commands.token_sources import read_token
from llamora.client.errors import (
    AddressRefused,
    AuthenticationError,
    LlamoraError,
    Locked,
    NetworkError,
    NotFound,
    PermissionDenied,
    RateLimited,
    UnexpectedAnswer,
)
from llamora.client.exchange import RetryPolicy
from llamora.client.sync_client import Llamora

DONE, FAILED, USAGE, LOCKED, REFUSED, NO_SERVER = range(6)
# As shells say it of a program that a signal ended.
INTERRUPTED, BROKEN_PIPE = 130, 141
LONG_WAIT_SECONDS = 3

Command = Callable[[Llamora, Namespace, Console], None]
_COMMANDS: dict[str, Command] = {
    "status": reading.show_status,
    "days": reading.list_days,
    "day": reading.show_day,
    "search": reading.search,
    "traces": reading.list_traces,
    "export": reading.export,
    "ask": conversation.ask,
    "chat": conversation.chat,
    "facts": memories.run_facts,
    "memory": memories.run_memory,
    "notes": notes.run_notes,
    "heartbeat": memories.run_heartbeat,
    "mcp": mcp_bridge.run_bridge,
}
# Calls that a server may not have.
_OF_LATER_VERSIONS = {"facts", "memory", "notes", "heartbeat"}


def run(argv: Sequence[str]) -> int:
    """Run a command line and return its exit code; errors are printed on stderr."""
    arguments = build_parser().parse_args(argv)
    console = Console(
        is_json=getattr(arguments, "is_json", False), may_ask=not getattr(arguments, "no_input", False)
    )
    try:
        _run_command(arguments, console)
        sys.stdout.flush()
    except LlamoraError as error:
        console.say(_describe(error))
        if isinstance(error, NotFound) and arguments.command in _OF_LATER_VERSIONS:
            console.say("Or this version of the server does not have that call yet.")
        return get_exit_code(error)
    except KeyboardInterrupt:
        console.say("Stopped.")
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read stdout has enough, as `head`. Python would flush once more at its end, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    return DONE


def _run_command(arguments: Namespace, console: Console) -> None:
    if arguments.command == "config":
        show = {"init": configuration.init_config, "show": configuration.show_config}
        show[arguments.action](arguments, console)
    elif arguments.command == "write":
        writing.write(lambda: _open_diary(arguments, console), arguments, console)
    else:
        with _open_diary(arguments, console) as diary:
            _COMMANDS[arguments.command](diary, arguments, console)


def _open_diary(arguments: Namespace, console: Console) -> Llamora:
    """Return the client that options, environment and `client.toml` describe; raise LlamoraError."""

    def say_wait(seconds: float) -> None:
        if seconds >= LONG_WAIT_SECONDS:
            console.say(f"The server is busy. Trying again in {seconds:.0f} seconds.")

    config = configuration.choose_config(arguments)
    return Llamora(
        config.url,
        token=read_token(arguments, config, console),
        timeout=getattr(arguments, "timeout", 30.0),
        retries=RetryPolicy(),
        on_wait=say_wait,
        ca_file=config.ca_file or None,
        allow_plain_http=config.allow_plain_http,
    )


def _describe(error: LlamoraError) -> str:
    words = str(error)
    if isinstance(error, RateLimited) and error.retry_after:
        words += f" That is in {error.retry_after:.0f} seconds."
    if error.scope:
        words += f" It needs: {error.scope}."
    if error.field and error.status == 422:
        words += f" (Field: {error.field}.)"
    return words


def get_exit_code(error: LlamoraError) -> int:
    """Return the exit code for an error.

    >>> [get_exit_code(error) for error in (Locked("It is locked."), NetworkError("No server."))]
    [3, 5]
    """
    kinds: list[tuple[type[LlamoraError], int]] = [
        (UsageRefused, USAGE),
        (AddressRefused, USAGE),
        (Locked, LOCKED),
        (AuthenticationError, REFUSED),
        (PermissionDenied, REFUSED),
        (NetworkError, NO_SERVER),
        (UnexpectedAnswer, NO_SERVER),
    ]
    return next((code for kind, code in kinds if isinstance(error, kind)), FAILED)
