"""`manage.py doctor`: all checks that need no key."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from llamora.database import condition
from llamora.database.condition import FileState
from llamora.ops import losses
from llamora.ops.backup import create
from llamora.ops.doctor import backups, database, folder, household, inference, machine, proxy
from llamora.ops.doctor.check_result import CheckResult, DoctorCheck, bad, merge_prevented, run_check

WITHOUT_DATABASE: tuple[DoctorCheck, ...] = (
    *(
        folder.check_server,
        folder.check_owner,
        folder.check_file_modes,
        folder.check_settings_file,
        folder.check_setting_names,
        folder.check_secret_key,
        folder.check_run_secret,
    ),
    *(
        machine.check_disk_space,
        machine.check_reserve,
        machine.check_swap,
        machine.check_core_dumps,
        machine.check_memory,
        machine.check_packages,
    ),
    proxy.check_trusted_proxies,
)
WITH_DATABASE: tuple[DoctorCheck, ...] = (
    *(
        machine.check_clock,
        database.check_pragmas,
        database.check_deletion,
        database.check_pages,
        database.check_old_keys,
    ),
    *(database.check_encrypted_columns, database.check_write_ahead_log),
    *(
        household.check_people,
        household.check_access_tokens,
        household.check_key_derivations,
        household.check_damaged_rows,
        household.check_invitations,
        household.check_key_changes,
        household.check_sessions,
    ),
    *(household.check_replies, household.check_late_drafts, household.check_inbox),
    backups.check_backups,
    inference.check_former_vectors,
)
MODELS: tuple[DoctorCheck, ...] = (inference.check_model_server, inference.check_embeddings)


class Command(BaseCommand):
    """The command that checks the household and the machine, and prints a line for each result."""

    help = (
        "Check the data folder, the machine, the database, the household, the backups and the model. Each "
        "line begins with ok, warn or bad, and says what to do. Works without anyone's password and while "
        "the server runs, and never changes anything. Ends with an error if something is bad."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the checks, and print their results and counts."""
        counts: Counter[str] = Counter()
        for result in merge_prevented(self._run_checks()):
            counts[result.level] += 1
            self.stdout.write(f"{result.level:<5} {result.subject}: {result.message}")
        summary = f"{counts['ok']} ok, {counts['warn']} warn, {counts['bad']} bad."
        if counts["bad"]:
            raise CommandError(summary)
        self.stdout.write(summary)

    def _run_checks(self) -> Iterator[CheckResult]:
        path = create.get_household_files().database
        found = condition.examine_file(path)
        # First of all: other checks open the database.
        is_to_be_copied = losses.find_unreported_loss(path) is not None
        if found.state is FileState.OK:
            yield from run_check(database.check_losses)
        for check in WITHOUT_DATABASE:
            yield from run_check(check)
        if found.state is FileState.OK:
            for check in () if is_to_be_copied else WITH_DATABASE:
                yield from run_check(check)
        elif found.state is not FileState.NEW:
            yield bad("database", found.sentence)
        for check in MODELS:
            yield from run_check(check)
        if found.state is FileState.NEW:
            self.stdout.write(found.sentence)
