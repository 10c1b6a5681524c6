"""The commands `facts`, `memory` and `heartbeat`: each sends one call and prints the response."""

from argparse import Namespace
from pathlib import Path
from typing import Any

from llamora.client import memory_calls
from llamora.client.calls import ApiCall
from llamora.client.commands.console import Console, UsageRefused
from llamora.client.memory_calls import MemoryObject
from llamora.client.sync_client import Llamora

_SUFFIXES = {"json": "json", "csv": "csv", "markdown": "md", "text": "txt"}
# What an object says first, whatever it is called there.
_TEXTS = ("text", "content", "fact", "snippet")


def run_facts(diary: Llamora, arguments: Namespace, console: Console) -> None:
    """List, show, accept, delete, restore or export facts."""
    if arguments.action == "export":
        path = Path(arguments.id or f"llamora-facts.{_SUFFIXES[arguments.format]}")
        file = memory_calls.export(arguments.format, category=arguments.category, state=arguments.state)
        console.print_text(str(diary.download(file, path, overwrite=arguments.force)))
        return
    if arguments.action == "list":
        page = memory_calls.list_page(
            limit=arguments.limit,
            offset=arguments.offset,
            category=arguments.category,
            state=arguments.state,
        )
        _print(diary.send(page), console)
        return
    if not arguments.id:
        raise UsageRefused(f"Which one? Give its id: facts {arguments.action} ID")
    _print(diary.send(_build_call(arguments)), console)


def _build_call(arguments: Namespace) -> ApiCall[MemoryObject]:
    match arguments.action:
        case "show":
            return memory_calls.get(arguments.id)
        case "delete":
            return memory_calls.delete(arguments.id)
        case "undo":
            return memory_calls.undo(arguments.id)
        case _:
            return memory_calls.accept(arguments.id, strategy=arguments.strategy)


def run_memory(diary: Llamora, arguments: Namespace, console: Console) -> None:
    """Run one action of the command `memory`: search the diary, count its texts, or rebuild the index."""
    if arguments.action == "search":
        if not arguments.words:
            raise UsageRefused("What should be searched for? Give words: memory search WORDS")
        call = memory_calls.search_texts(arguments.words, limit=arguments.limit)
    elif arguments.action == "stats":
        call = memory_calls.get_stats()
    else:
        call = memory_calls.rebuild_index()
    _print(diary.send(call), console)


def run_heartbeat(diary: Llamora, arguments: Namespace, console: Console) -> None:
    """Run the command `heartbeat`: start one check-in on the server, and print what the model proposes."""
    del arguments
    _print(diary.send(memory_calls.run_heartbeat()), console)


def _print(answer: MemoryObject, console: Console) -> None:
    """Print an answer: lists of objects line by line, everything else as names and values."""
    if console.is_json:
        console.print_json(answer)
        return
    for name, value in answer.items():
        if isinstance(value, list):
            for each in value:
                console.print_text(_describe(each))
        elif isinstance(value, dict):
            # Of one that has no text, such as a count of parts, only programs make use.
            if text := _describe(value):
                console.print_text(f"{name:14} {text}")
        elif value is not None:
            console.print_text(f"{name:14} {value}")


def _describe(value: Any) -> str:
    if not isinstance(value, dict):
        return str(value)
    text = next((str(value[name]) for name in _TEXTS if value.get(name)), "")
    parts = (
        value.get("id"),
        value.get("day") or value.get("date"),
        value.get("category"),
        " ".join(text.split()),
    )
    return "  ".join(str(part) for part in parts if part)
