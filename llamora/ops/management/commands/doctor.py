"""`manage.py doctor`: all checks that need no key."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from llamora.ops.backup import create
from llamora.ops.doctor import backups, database, folder, household, inference, machine
from llamora.ops.doctor.check_result import CheckResult, DoctorCheck, run_check

WITHOUT_DATABASE: tuple[DoctorCheck, ...] = (
    *(folder.server, folder.file_modes, folder.settings_file, folder.secret_key, folder.run_secret),
    *(machine.disk_space, machine.swap, machine.core_dumps),
)
WITH_DATABASE: tuple[DoctorCheck, ...] = (
    *(machine.clock, database.pragmas, database.secure_delete, database.pages, database.fence),
    *(database.sealed_columns, database.write_ahead_log),
    *(household.people, household.invitations, household.rotations, household.sessions),
    *(household.replies, household.late_drafts),
    backups.backups,
)
MODELS: tuple[DoctorCheck, ...] = (inference.model_server, inference.embeddings)


class Command(BaseCommand):
    """The command that checks the household and the machine, and prints a line for each result."""

    help = (
        "Look at the data folder, the machine, the database, the household, the backups and the model, and "
        "say of each: ok, warn or bad, and what to do. Needs nobody's key, changes nothing, and may run "
        "beside the server. Ends with an error where something is bad. Refuses nothing: without a household "
        "it looks at the rest."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the checks, and print their results and counts."""
        counts: Counter[str] = Counter()
        for result in self._run_checks():
            counts[result.level] += 1
            self.stdout.write(f"{result.level:<5} {result.subject}: {result.message}")
        summary = f"{counts['ok']} ok, {counts['warn']} to know about, {counts['bad']} to put right."
        if counts["bad"]:
            raise CommandError(summary)
        self.stdout.write(summary)

    def _run_checks(self) -> Iterator[CheckResult]:
        has_household = create.get_household_files().database.is_file()
        for check in (*WITHOUT_DATABASE, *(WITH_DATABASE if has_household else ()), *MODELS):
            yield from run_check(check)
        if not has_household:
            self.stdout.write("There is no household here yet. `manage.py up` makes one.")
