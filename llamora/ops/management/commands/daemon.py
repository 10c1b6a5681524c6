"""`manage.py daemon`: starts, finds and stops the server in the background."""

import logging
import os
import sys
from argparse import ArgumentParser
from typing import Any, Final, NoReturn

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from llamora.ops.daemon import log_file, services
from llamora.ops.daemon.start_report import StartReporter
from llamora.ops.errors import OperationRefused, describe_error
from llamora.ops.management.commands import up

ACTIONS: Final = ("start", "stop", "status", "run")
# As init scripts say it (LSB): the program is not running.
NOT_RUNNING: Final = 3

_log = logging.getLogger("llamora.daemon")


class Command(BaseCommand):
    """The command that runs the server without a terminal."""

    help = (
        "Run Llamora in the background. `start` does what `up` does, with the same options, waits until the "
        "server answers, and says why if it does not start; what it prints and logs later is in llamora.log "
        "in the data folder, with a line for each request: method, route, status, size and time. The options "
        "are those of `start`. `stop` asks it to end and waits for that. `status` says at which address it "
        "runs, since when and with which model; it ends with 0 if it runs and with 3 if not. `run` is what "
        "`start` starts. Refuses to start what `up` refuses, and to stop a server that it did not start. A "
        "server that runs already is never started twice. After a restart of the machine it does not start "
        "by itself: for that, use the systemd unit that `up --print-unit` prints."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the arguments: what to do, and those of the server."""
        # `run` is what `start` starts.
        parser.add_argument("action", choices=ACTIONS, metavar="ACTION", help="start, stop or status")
        up.add_server_arguments(parser)

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        """Run the action that the arguments name."""
        chosen = {name: options[name] for name in ("port", "host", "no_model", "model", "without_backup")}
        try:
            match action:
                case "start":
                    services.start(up.list_server_arguments(**chosen), say=self._print_now)
                case "stop":
                    services.stop(say=self._print_now)
                case "status":
                    self._print_status()
                case "run":
                    self._run(chosen)
        except OperationRefused as refusal:
            raise CommandError(str(refusal)) from None

    def _print_status(self) -> None:
        status = services.get_status()
        if server := status.server:
            self._print_now(services.describe_server(server))
            if server.port and not status.is_answering:
                self._print_now("It does not answer at the moment.")
            self._print_now(f"Model: {server.model or 'not known yet'}")
            if server.is_in_background:
                self._print_now(f"Log: {log_file.get_path()}")
            return
        self._print_now(" ".join(["Llamora is not running.", status.note]).strip())
        sys.exit(NOT_RUNNING)

    def _run(self, chosen: dict[str, Any]) -> None:
        """Serve; whoever started this process reads from its standard output until it is ready."""
        reporter = StartReporter(os.dup(1))
        log_file.redirect_output(log_file.get_path())
        server = up.Command(stdout=sys.stdout, stderr=sys.stderr)
        server.reporter = reporter
        try:
            server.handle(**chosen)
        except (CommandError, ImproperlyConfigured) as refusal:
            _refuse(reporter, str(refusal))
        except Exception as error:
            if sentence := describe_error(error):
                _refuse(reporter, sentence)
            # Python would write the error's message, which may quote what somebody wrote.
            _log.exception("The server ended because of a fault.")
            sys.exit(1)

    def _print_now(self, sentence: str) -> None:
        self.stdout.write(sentence)
        self.stdout.flush()


def _refuse(reporter: StartReporter, sentence: str) -> NoReturn:
    """End the process with a sentence, for whoever waits and in the log."""
    reporter.report_refusal(sentence)
    _log.error("%s", sentence)
    sys.exit(1)
