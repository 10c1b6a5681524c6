"""Commands that read the diary: `status`, `days`, `day`, `search`, `traces`, `export`."""

import time
from argparse import Namespace
from datetime import date, timedelta
from itertools import islice
from pathlib import Path

from llamora.client.answers import DiaryEntry, FoundText, SearchAnswer
from llamora.client.commands.console import Console
from llamora.client.errors import Invalid, NotFound
from llamora.client.sync_client import Llamora

MAX_OPENING_SECONDS = 10
SUFFIXES = {"zip": "zip", "json": "json", "markdown": "md"}


def parse_day(text: str | None) -> date | None:
    """Return the day of an argument: 2026-01-05, today or yesterday."""
    if text is None:
        return None
    named = {"today": 0, "yesterday": 1}.get(text.lower())
    if named is not None:
        return date.today() - timedelta(days=named)
    try:
        return date.fromisoformat(text)
    except ValueError:
        pass
    raise Invalid("A day is written like 2026-01-05, or today, or yesterday.", field="day")


def show_status(diary: Llamora, arguments: Namespace, console: Console) -> None:
    """Print the state of the server, of the diary and of the token."""
    del arguments
    status = diary.get_status()
    if console.is_json:
        console.print_json(status)
        return
    model, token, search = status.model, status.token, status.search
    lines = {
        "server": status.status,
        "version": status.version,
        "diary": "unlocked" if status.unlocked else "locked",
        "model": " ".join(filter(None, (model.state, model.name))) if model else None,
        "search": f"{search.state}, {search.done} of {search.total}" if search else None,
        "token": " ".join(filter(None, (token.kind, token.name))) if token else None,
        "scopes": " ".join(token.scopes) if token else None,
    }
    for name, value in lines.items():
        if value:
            console.print_text(f"{name:9} {value}")


def list_days(diary: Llamora, arguments: Namespace, console: Console) -> None:
    """Print the days with entries, newest first."""
    days = diary.list_days(
        from_day=parse_day(arguments.from_day),
        to_day=parse_day(arguments.to_day),
        page_size=min(arguments.limit or 100, 100),
    )
    found = None
    for found in islice(days, arguments.limit):
        if console.is_json:
            console.print_json(found)
        else:
            noun = "entry" if found.entry_count == 1 else "entries"
            console.print_text(f"{found.day}  {found.entry_count} {noun}")
    if found is None:
        console.say("There are no entries.")


def show_day(diary: Llamora, arguments: Namespace, console: Console) -> None:
    """Print a day: its opening, its entries and its recap."""
    day = diary.get_day(parse_day(arguments.day) or date.today())
    if console.is_json:
        console.print_json(day)
        return
    if day.opening:
        _print_block(console, "Opening, by the model", day.opening)
    for entry in day.entries:
        _print_block(console, _describe(entry), "(damaged)" if entry.text is None else entry.text)
    if day.recap:
        _print_block(console, "Recap, by the model", day.recap)
    if not day.entries:
        console.say("There are no entries on this day.")
    if day.unread_count:
        console.say(f"Not shown, since this token may not read what others wrote: {day.unread_count}.")


def _describe(entry: DiaryEntry) -> str:
    shown = f"{entry.created_at.astimezone():%H:%M}"
    return shown if entry.origin in ("own", "own_token", "") else f"{shown}  {entry.origin}: {entry.source}"


def _print_block(console: Console, heading: str, text: str) -> None:
    console.print_heading(heading)
    console.print_text(text + "\n")


def search(diary: Llamora, arguments: Namespace, console: Console) -> None:
    """Print search results, best first."""
    answer = _search_open_index(diary, arguments)
    if console.is_json:
        console.print_json(answer)
        return
    for found in answer.results:
        print_found(console, found)
    shown = arguments.offset + len(answer.results)
    if answer.state == "opening":
        console.say("The search index is still being opened. Try again in a few seconds.")
    elif answer.next_offset is not None:
        # Texts with some of the words come behind those with all of them, which are counted.
        count = f"{shown} of {answer.total}" if shown <= answer.total else str(shown)
        console.say(f"{count}. For more: --offset {answer.next_offset}")
    elif not answer.results:
        console.say("Nothing was found.")


def _search_open_index(diary: Llamora, arguments: Namespace) -> SearchAnswer:
    """Return results; wait a few seconds for an index that is being opened, after an unlock."""
    deadline = time.monotonic() + MAX_OPENING_SECONDS
    while True:
        answer = diary.search(
            arguments.query,
            from_day=parse_day(arguments.from_day),
            to_day=parse_day(arguments.to_day),
            limit=arguments.limit,
            offset=arguments.offset,
        )
        if answer.state != "opening" or time.monotonic() > deadline:
            return answer
        time.sleep(0.5)


def list_traces(diary: Llamora, arguments: Namespace, console: Console) -> None:
    """Print the traces, or the days of one trace."""
    traces = list(diary.list_traces())
    if arguments.name is None:
        for trace in traces:
            if console.is_json:
                console.print_json(trace)
            else:
                noun = "entry" if trace.entry_count == 1 else "entries"
                days = f"{trace.first_day} to {trace.last_day}" if trace.first_day else ""
                console.print_text(
                    f"{trace.name or '(damaged)'}  {trace.entry_count} {noun}  {days}".rstrip()
                )
        if not traces:
            console.say("There are no traces yet.")
        return
    wanted = arguments.name.casefold()
    named = next((trace for trace in traces if (trace.name or "").casefold() == wanted), None)
    if named is None:
        raise NotFound("There is no trace of this name.")
    for entry in diary.list_trace_entries(named.id):
        if console.is_json:
            console.print_json(entry)
        else:
            console.print_text(f"{entry.day}  {entry.id}")


def print_found(console: Console, found: FoundText) -> None:
    """Print a search result on one line."""
    snippet = " ".join(found.snippet.split())
    console.print_text(f"{found.day or ''!s:10}  {found.kind:7}  {snippet}")


def export(diary: Llamora, arguments: Namespace, console: Console) -> None:
    """Save the whole diary in a file."""
    path = Path(arguments.path or f"llamora-export.{SUFFIXES[arguments.format]}")
    saved = diary.export(path, export_format=arguments.format, overwrite=arguments.force)
    if console.is_json:
        console.print_json({"path": str(saved), "bytes": saved.stat().st_size})
        return
    console.print_text(str(saved))
    console.say(f"Saved {saved.stat().st_size} bytes, which anyone who has the file can read.")
