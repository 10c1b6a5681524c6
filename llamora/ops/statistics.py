"""Statistics of diaries and files, which need no key."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Count, Max, Min

from accounts.models import Person, SignIn, Vault
from diary.models import Draft, Entry, Reply
from llamora.fields import MacField
from llamora.fields.fence import sealed_models
from llamora.fields.models import sealed_fields
from llamora.ops.backup import create, restore


@dataclass(frozen=True, kw_only=True)
class DiaryStatistics:
    """The counts of one person's diary."""

    name: str
    entries: int
    days: int
    first: date | None
    last: date | None
    in_bin: int
    drafts: int
    replies: int
    sealed_values: int
    sealed_bytes: int
    epoch: int | None
    sign_ins: int


def iter_diary_statistics() -> Iterator[DiaryStatistics]:
    """Yield the statistics of each person's diary, in order of registration."""
    for person in Person.objects.order_by("created_at"):
        yield _count_diary(person)


def _count_diary(person: Person) -> DiaryStatistics:
    entries = Entry.objects.for_owner(person.id)
    found = entries.aggregate(
        many=Count("id"), days=Count("day", distinct=True), first=Min("day"), last=Max("day")
    )
    values, size = _count_sealed_values(person.id)
    return DiaryStatistics(
        name=person.printable_name,
        entries=found["many"],
        days=found["days"],
        first=found["first"],
        last=found["last"],
        in_bin=Entry.objects.in_bin(person.id).count(),
        drafts=Draft.objects.filter(owner_id=person.id).count(),
        replies=Reply.objects.filter(owner_id=person.id).count(),
        sealed_values=values,
        sealed_bytes=size,
        epoch=Vault.objects.filter(owner_id=person.id).values_list("epoch", flat=True).first(),
        sign_ins=SignIn.objects.filter(person_id=person.id).count(),
    )


def _count_sealed_values(owner: UUID) -> tuple[int, int]:
    """Return the number of a person's encrypted values in all tables, and their size in bytes."""
    values = size = 0
    with connection.cursor() as cursor:
        for model in sealed_models():
            for field in sealed_fields(model):
                if isinstance(field, MacField):
                    continue  # a code, which has no text
                column, table = (
                    connection.ops.quote_name(str(name)) for name in (field.column, model._meta.db_table)
                )
                cursor.execute(
                    f"SELECT count({column}), coalesce(sum(length({column})), 0) "  # noqa: S608 - our own names
                    f"FROM {table} WHERE owner_id = %s",
                    [owner.hex],
                )
                many, length = cursor.fetchone()
                values, size = values + many, size + length
    return values, size


def iter_file_sizes() -> Iterator[tuple[str, int]]:
    """Yield each kind of household file with its total size in bytes."""
    database, data_dir = create.get_household_files().database, settings.DATA_DIR
    yield "Database", _compute_total_size([database])
    yield "Write-ahead log", _compute_total_size([database.with_name(database.name + "-wal")])
    yield "Encrypted indexes", _compute_total_size((data_dir / "search").rglob("*"))
    yield "Backups", _compute_total_size(settings.BACKUP_DIR.rglob("*"))
    yield "Replaced databases", _compute_total_size((data_dir / restore.REPLACED_FOLDER).rglob("*"))
    yield "Models", _compute_total_size((data_dir / "models").rglob("*"))


def _compute_total_size(paths: Iterable[Path]) -> int:
    return sum(path.stat().st_size for path in paths if path.is_file())
