"""`manage.py up`: prepares the household and runs the server."""

import asyncio
import gc
import logging
import os
import signal
import socket
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from django.utils import timezone

from accounts.auth.services import first_run
from accounts.http.redacted_logging import format_sentence, log_uncaught_errors
from accounts.losses.reports import describe_report
from accounts.management import server_address
from accounts.rotation.completion import destroy_remaining_files
from accounts.sessions import run_secret
from llamora.database import reserve
from llamora.inference.config import ModelConfig
from llamora.inference.model_choice.errors import ChoiceRefused
from llamora.inference.model_choice.services import build_config
from llamora.ops import background, configuration, data_folder, losses, reloader, startup, systemd_unit
from llamora.ops.backup import create
from llamora.ops.daemon.server_record import RecordWriter
from llamora.ops.daemon.start_report import StartReporter
from llamora.ops.errors import OperationRefused
from llamora.ops.reloader import Reloader
from llamora.process_memory import protect_process_memory, return_freed_memory

_log = logging.getLogger("llamora.clock")


def add_server_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of a server: the address, and which parts to leave out."""
    parser.add_argument(
        "--port",
        type=int,
        default=settings.PORT,
        help="port to listen on, usually %(default)s; 0 chooses a free one",
    )
    parser.add_argument("--host", default=settings.HOST, help="address to listen on, usually %(default)s")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--no-model", action="store_true", help="start without a model")
    which.add_argument(
        "--model",
        metavar="NAME",
        default="",
        help="use this model for as long as the server runs: a file, or a model of a running server; "
        "`manage.py model list` shows the names",
    )
    parser.add_argument(
        "--without-backup",
        action="store_true",
        help="update the database of an earlier version without a backup of it",
    )


def list_server_arguments(
    *, port: int, host: str, no_model: bool, model: str, without_backup: bool = False
) -> list[str]:
    """Return the command-line arguments for a server with these options."""
    which = ["--no-model"] if no_model else ["--model", model] if model else []
    return [
        *("--port", str(port), "--host", host),
        *which,
        *(["--without-backup"] if without_backup else []),
    ]


class Command(BaseCommand):
    """The command that prepares the data folder and the database, and runs the server."""

    help = (
        "Set up and start Llamora: create the data folder and its secrets, update the database and the "
        "static files, look for a model, and run the server. You can start it again at any time; `daemon "
        "start` does the same in the background, and --print-unit is for systemd. Refuses a data folder that "
        "other users can read or that another server uses, a default secret key, a port in use, and "
        "unencrypted connections from other machines unless LLAMORA_ALLOW_PLAIN_HTTP is set; with --reload, "
        "every address that other machines can reach."
    )
    _model: ModelConfig | None = None
    # Of `daemon run`, which somebody waits for.
    reporter: StartReporter | None = None
    _record: RecordWriter
    # Its own checks refuse with sentences, before and after the database is there.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the arguments: the address, and which parts to leave out."""
        add_server_arguments(parser)
        parser.add_argument(
            "--print-unit",
            action="store_true",
            help="print a systemd unit that starts Llamora with these options, and exit",
        )
        parser.add_argument(
            "--reload",
            action="store_true",
            help="for developers: restart the server when a file of the program changes",
        )

    def handle(
        self,
        *args: Any,
        port: int,
        host: str,
        no_model: bool,
        model: str = "",
        without_backup: bool = False,
        print_unit: bool = False,
        reload: bool = False,
        **options: Any,
    ) -> None:
        """Prepare data folder, database and static files, and serve until a signal stops the process."""
        if print_unit:
            self._print_unit(port=port, host=host, no_model=no_model, model=model)
            return
        try:
            if reload:
                self._reload(
                    port=port, host=host, no_model=no_model, model=model, without_backup=without_backup
                )
                return
            self._model = build_config(model, option="--model") if model else None
            self._start(port=port, host=host, no_model=no_model, backup_first=not without_backup)
        except (OperationRefused, ImproperlyConfigured, ChoiceRefused) as refusal:
            raise CommandError(str(refusal)) from None
        except OSError as error:
            raise CommandError(startup.describe_os_error(error)) from None
        except KeyboardInterrupt:
            self.print_now("Llamora was stopped before it was ready.")

    def _print_unit(self, *, port: int, host: str, no_model: bool, model: str) -> None:
        arguments = list_server_arguments(port=port, host=host, no_model=no_model, model=model)
        text = systemd_unit.render_unit(
            folder=settings.BASE_DIR, data_dir=settings.DATA_DIR, arguments=arguments
        )
        self.stdout.write(text)

    def _reload(self, *, host: str, **options: Any) -> None:
        reloader.check_host(host)
        Reloader(list_server_arguments(host=host, **options), say=self.print_now).run()

    def _start(self, *, port: int, host: str, no_model: bool, backup_first: bool) -> None:
        protect_process_memory()
        return_freed_memory()
        log_uncaught_errors()
        # First of all: a misspelt name may be why the start is refused.
        for name in configuration.list_ignored_names():
            self.print_now(name.sentence)
        startup.check_plain_http(host)
        if weakness := data_folder.find_key_weakness(settings.SECRET_KEY):
            raise OperationRefused(weakness)
        startup.check_database_file()
        data_folder.prepare(settings.DATA_DIR, key_file=settings.SECRET_KEY_FILE)
        with data_folder.lock(settings.DATA_DIR) as locked_file:
            listener = startup.bind_listener(host, port)
            if reserve.release_if_full(settings.DATA_DIR):
                self.print_now(f"{settings.DATA_DIR} had no space left, so its reserve was deleted.")
            # A file can be written again now.
            self._record = RecordWriter(locked_file, is_in_background=self.reporter is not None)
            self._examine_losses()
            self._prepare(backup_first=backup_first)
            self._write_secret_key()
            self._serve(listener, host=host, no_model=no_model)

    def _examine_losses(self) -> None:
        # Before anything opens the database.
        database = create.get_household_files().database
        if report := losses.examine_losses(database, now=timezone.now()):
            self.print_now(describe_report(report))

    def _prepare(self, *, backup_first: bool) -> None:
        if backup := startup.prepare_database(backup_first=backup_first):
            self.print_now(
                f"The database was updated. {backup} contains it as it was before, for thirty days."
            )
        if sentence := losses.begin_log(create.get_household_files().database):
            self.print_now(sentence)
        if sentence := startup.restore_fence():
            self.print_now(sentence)
        destroy_remaining_files()
        if not reserve.create_reserve(settings.DATA_DIR, mebibytes=settings.RESERVE_MIB):
            self.print_now(
                f"There is no space for the reserve of {settings.RESERVE_MIB} MiB, which lets people go on "
                "when the disk is full. Free some space; it is then made by itself."
            )
        if sentence := startup.observe_clock():
            _log.warning("%s", sentence)
            self.print_now(sentence)
        if startup.collect_static():
            # A first start, or one after an upgrade, which may also have migrated.
            gc.collect()
        if sentence := run_secret.prepare_run_secret():
            self.print_now(sentence)

    def _write_secret_key(self) -> None:
        """Write the secret key if it is missing.

        This must run after the database was created: a folder with a key but no database means that the
        database was lost.
        """
        # A key that comes from the environment stays there; it is not written to the disk.
        if os.environ.get("LLAMORA_SECRET_KEY"):
            return
        if sentence := data_folder.write_missing_key(settings.SECRET_KEY_FILE, settings.SECRET_KEY):
            self.print_now(sentence)

    def _serve(self, listener: socket.socket, *, host: str, no_model: bool) -> None:
        from llamora.asgi import application, pages  # noqa: PLC0415 - static files must be there first

        # HTTPS is spoken by what stands before this server; Twisted loads OpenSSL wherever it finds it.
        with startup.hide_module("OpenSSL"):
            from llamora.ops.server.http_server import HouseholdServer  # noqa: PLC0415 - only when serving

        port = listener.getsockname()[1]

        async def run_background_work() -> None:
            if self.reporter:
                self.reporter.report_ready(host=host, port=port)
            background.bind_jobs()
            await asyncio.gather(
                self._report_model(no_model=no_model),
                background.sweep_sessions(),
                background.run_daily_rounds(),
                self._stop_when_database_is_replaced(),
            )

        if host not in ("0.0.0.0", "::", *settings.ALLOWED_HOSTS):  # noqa: S104 - compared, not bound
            settings.ALLOWED_HOSTS.append(host)
        startup.resume_garbage_collection()
        self._announce(host=host, port=port)
        HouseholdServer(
            application, listener=listener, on_start=run_background_work, on_stop=background.stop_model
        ).run()
        pages.close()
        connections.close_all()
        self.print_now("Llamora has stopped.")

    async def _report_model(self, *, no_model: bool) -> None:
        async for sentence in background.follow_model_state(no_model=no_model, config=self._model):
            self.print_now(sentence)
            self._record.update(model=sentence)

    async def _stop_when_database_is_replaced(self) -> None:
        self.print_now(await background.watch_database_file())
        os.kill(os.getpid(), signal.SIGTERM)

    def _announce(self, *, host: str, port: int) -> None:
        base = server_address.build_address(host, port)
        server_address.record_address(base)
        self._record.update(host=host, port=port)
        self.print_now(f"Llamora is at {base}/")
        if not startup.is_loopback_host(host):
            self.print_now(
                f"Other machines reach it at this machine's address, port {port}. "
                "List the names and addresses that they use in LLAMORA_HOSTS."
            )
        if token := first_run.get_setup_token():
            self.print_now(
                f"To set up Llamora, open this link: {base}/register/?set-up={token}", is_secret=True
            )

    def print_now(self, sentence: str, *, is_secret: bool = False) -> None:
        """Print one line and flush it, for output into a pipe.

        In the daemon, whose output is a log, a secret goes only to the command that started it.
        """
        if self.reporter:
            self.reporter.report_sentence(sentence)
            if is_secret:
                return
        self.stdout.write(self._format(sentence))
        self.stdout.flush()

    def _format(self, sentence: str) -> str:
        """Return a sentence, in the format of a log line if the output is a log: of `daemon`, or as JSON."""
        if self.reporter or settings.LOG_FORMAT == "json":
            return format_sentence("llamora.up", sentence)
        return sentence
