"""Export of a diary for a program, in one of three formats, streamed while it is read.

    json      `diary.json` alone, which ends with its counts
    markdown  the Markdown of all days in one text, which ends with a comment that counts entries and days
    zip       all files, as on the export page

An incomplete export can be recognised: a JSON without its counts, a Markdown without its last line, a zip
without its directory.
"""

import zipfile
from collections.abc import Callable
from datetime import datetime
from typing import IO, Any

from accounts.models import Person
from diary.transfer.export_format import render_markdown_end
from diary.transfer.export_targets import ZipTarget
from diary.transfer.exports import ExportReport, ExportSource, export_diary, iter_day_files, iter_json
from diary.transfer.programs.file_formats import ExportFormat
from llamora.crypto import RealmKeyring, in_force
from llamora.database import read_snapshot


def write_export(
    file: IO[bytes],
    *,
    person: Person,
    keyring: RealmKeyring,
    export_format: ExportFormat,
    reads_others: bool,
    now: datetime,
    report: ExportReport,
    progress: Callable[[int], None],
) -> None:
    """Write a whole diary in one of the formats, and count in `report` what was written.

    Without `reads_others`, texts that are not their owner's own, or were generated from such texts, are left
    out. Raise VaultLocked if the keyring is closed before the end.
    """
    options: dict[str, Any] = {"now": now, "progress": progress}
    if export_format is ExportFormat.ZIP:
        archive = zipfile.ZipFile(file, "w")
        options |= {"person": person, "keyring": keyring, "reads_others": reads_others, "report": report}
        export_diary(target=ZipTarget(archive), **options)
        # Only now: its directory says that it is complete.
        archive.close()
        return
    with in_force(keyring), read_snapshot():
        source = ExportSource.load(keyring, reads_others=reads_others)
        if export_format is ExportFormat.JSON:
            for chunk in iter_json(person, source, report, **options):
                file.write(chunk.encode())
            return
        for _, markdown in iter_day_files(person, source, report):
            progress(report.entries)
            file.write(f"{markdown}\n".encode())
        end = render_markdown_end(entries=report.entries, day_count=report.days, left_out=report.left_out)
        file.write(end.encode())
