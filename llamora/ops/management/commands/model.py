"""`manage.py model`: lists, downloads, chooses and deletes models."""

from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from llamora.inference.model_choice import services
from llamora.inference.model_choice.catalogue import format_gigabytes, format_parameters
from llamora.inference.model_choice.downloads import Download, DownloadProgress, parse_source
from llamora.inference.model_choice.errors import ChoiceRefused
from llamora.inference.model_choice.servers import FoundServer
from llamora.inference.model_choice.uploads import copy_file

ACTIONS: Final = ("list", "get", "use", "remove")
_STEP_PERCENT: Final = 10


class Command(BaseCommand):
    """The command that manages the models of the household."""

    help = (
        "List, download, choose or delete language models. `list` shows the model files, the model servers "
        "that run, a short list of good small models with what this machine can do, and what is used. "
        "`get NAME` downloads a model of that list, or maker/repository/file.gguf from the hub, and goes on "
        "where an earlier download ended; the path of a file copies that file. `use NAME` chooses a file or "
        "a model of a running server, also while Llamora runs. `remove NAME` deletes a file. Refuses to "
        "choose if a setting names the model, to delete the file in use without --force, to replace a file, "
        "and to take a file that is no complete model."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the arguments: what to do, and with which model."""
        parser.add_argument("action", choices=ACTIONS, metavar="ACTION", help=", ".join(ACTIONS))
        parser.add_argument("name", nargs="?", default="", metavar="NAME", help="which model")
        parser.add_argument(
            "--withdraw",
            action="store_true",
            help="with use: choose nothing, so the first found is used",
        )
        parser.add_argument("--force", action="store_true", help="with remove: also delete the file in use")

    def handle(
        self,
        *args: Any,
        action: str,
        name: str,
        force: bool = False,
        withdraw: bool = False,
        **options: Any,
    ) -> None:
        """Run the action that the arguments name."""
        if action in ("get", "remove") and not name:
            raise CommandError(f"Name a model: manage.py model {action} NAME")
        if action == "use" and bool(name) is withdraw:
            raise CommandError("Name a model, or withdraw the choice with: manage.py model use --withdraw")
        try:
            match action:
                case "list":
                    self._print_lines(_describe_all())
                case "get":
                    self._get(name)
                case "use":
                    self._use(name)
                case "remove":
                    services.remove_file(name, force=force)
                    self.stdout.write("The file was deleted.")
        except ChoiceRefused as refusal:
            raise CommandError(str(refusal)) from None

    def _use(self, name: str) -> None:
        if not name:
            services.withdraw_choice()
            self.stdout.write("The choice was withdrawn: the first model that is found is used.")
            return
        services.choose_named(name)
        chosen = services.describe_selected(services.describe_selection().selection)
        self.stdout.write(f"Chosen: {chosen}. A server that runs takes it within half a minute.")

    def _get(self, name: str) -> None:
        folder = services.get_models_folder()
        if Path(name).is_file():
            copied = copy_file(Path(name), folder=folder)
            self.stdout.write(f"Copied to {copied.path}. Choose it with: manage.py model use {copied.name}")
            return
        if Path(name).is_absolute():
            raise ChoiceRefused("no_file_at", path=name)
        source = parse_source(name)
        printer = _ProgressPrinter(self)
        download = Download(source, hub=settings.MODEL_HUB, folder=folder, report=printer.print)
        path = download.run()
        printer.end()
        if path is None:
            raise CommandError(download.progress.sentence)
        self.stdout.write(f"{path.name} is there. Choose it with: manage.py model use {path.stem}")

    def _print_lines(self, lines: Iterator[str]) -> None:
        for line in lines:
            self.stdout.write(line)


class _ProgressPrinter:
    """Printer of a download's progress: one changing line on a terminal, else a line for each tenth."""

    def __init__(self, command: BaseCommand) -> None:
        self._out = command.stdout
        self._changes_line = command.stdout.isatty()
        self._last: tuple[str, int] = ("", -1)

    def print(self, progress: DownloadProgress) -> None:
        """Print the progress if it has changed noticeably."""
        step = progress.percent if self._changes_line else progress.percent // _STEP_PERCENT
        if not progress.is_running or (progress.phase, step) == self._last:
            return
        self._last = (progress.phase, step)
        line = describe_progress(progress)
        self._out.write(
            f"\r{line:<60}" if self._changes_line else line, ending="" if self._changes_line else "\n"
        )
        self._out.flush()

    def end(self) -> None:
        """End the line."""
        if self._changes_line:
            self._out.write("")


def describe_progress(progress: DownloadProgress) -> str:
    """Return the state of a download as one line."""
    if not progress.total:
        return "Asking the hub."
    doing = {
        "checking": "Checking what is there",
        "waiting": "The connection was lost; trying again",
    }.get(progress.phase, "Loading")
    there, total = format_gigabytes(progress.done), format_gigabytes(progress.total)
    return f"{doing}: {progress.percent} %, {there} of {total}."


def _describe_all() -> Iterator[str]:
    yield f"Files in {services.get_models_folder()}:"
    yield from _indent(_describe_files(), otherwise="none")
    yield "Servers that run:"
    servers = services.list_servers()
    yield from _indent(_describe_servers(servers), otherwise="none")
    yield "Good small models; download one with: manage.py model get NAME"
    yield from _indent(_describe_catalogue())
    summary = services.describe_selection()
    used = services.describe_selected(summary.selection)
    if not used and (file := services.get_file_in_use()):
        used = file.stem
    used = used or ("the first server" if servers else "nothing yet")
    yield f"In use: {used}. {summary.sentence}"
    if summary.problem:
        yield summary.problem


def _indent(lines: Iterator[str], *, otherwise: str = "") -> Iterator[str]:
    found = list(lines) or [otherwise]
    return (f"  {line}" for line in found)


def _describe_files() -> Iterator[str]:
    for entry in services.list_files():
        file, facts = entry.file, entry.file.facts
        marks = [mark for mark, holds in (("chosen", entry.is_chosen), ("in use", entry.is_in_use)) if holds]
        if facts is None or file.problem:
            yield f"{file.name}: {format_gigabytes(file.size)}. {file.sentence}"
            continue
        parts = (
            format_parameters(facts.parameters) if facts.parameters else "",
            facts.quantisation,
            f"{facts.context_window:,} tokens" if facts.context_window else "",
            format_gigabytes(file.size),
            "too small for a diary" if file.is_too_small else "",
            *marks,
        )
        yield f"{file.name}: {', '.join(part for part in parts if part)}"
    for part in services.list_unfinished():
        yield f"{part.name}: {format_gigabytes(part.size)} of an unfinished download"


def _describe_servers(servers: Iterable[FoundServer]) -> Iterator[str]:
    for server in servers:
        kind = "a server" if server.kind == "other" else server.kind
        yield f"{kind} at {server.url}: {', '.join(server.models) or 'no models'}"


def _describe_catalogue() -> Iterator[str]:
    for entry in services.list_catalogue():
        model = entry.model
        here = " It is here." if entry.file else ""
        yield f"{model.name}: {model.title}, {format_gigabytes(model.size)}, {model.licence}."
        yield f"  {model.sentence} {entry.suitability.sentence}{here}"
