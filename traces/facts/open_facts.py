"""Facts opened without model instances, since creating one takes longer than opening it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from llamora.crypto import EnvelopeError, RealmKeyring, WrongEpoch
from llamora.threads import let_others_run
from traces.facts.models import Fact, FactQuerySet

_BATCH: Final = 500
# Without the owner, whose facts were selected: reading their id from each row takes time.
_COLUMNS: Final = (
    "id",
    "entry_id",
    "successor_id",
    "state",
    "origin",
    "subject_index",
    "same_index",
    "created_at",
    "changed_at",
    "entry_day",
    "body",
    "mac",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenFact:
    """A fact with its open body, as `traces.facts.fact_body` describes it; None if it is damaged."""

    id: UUID
    entry_id: UUID | None
    successor_id: UUID | None
    state: str
    origin: str
    day: date
    created_at: datetime
    changed_at: datetime
    body: dict[str, Any] | None = field(repr=False)

    def get_text(self, name: str) -> str:
        """Return a text of the body, or "" if there is none."""
        value = (self.body or {}).get(name, "")
        return value if isinstance(value, str) else ""


def _decode(plaintext: bytes) -> Any:
    """Return the value of a body, as its field does in several times as long; raise SealedFieldError."""
    try:
        return msgspec.json.decode(plaintext)
    except (msgspec.DecodeError, ValueError):
        # Such as a number that only Python takes for one.
        return Fact._meta.get_field("body").decode(plaintext)


def iter_open_facts(rows: FactQuerySet, *, keyring: RealmKeyring) -> Iterator[OpenFact]:
    """Yield facts `with_days` in the order of a queryset, read in batches; raise WrongEpoch in a rotation."""
    body, mac = Fact._meta.get_field("body"), Fact._meta.get_field("mac")
    for number, values in enumerate(rows.values_list(*_COLUMNS).iterator(chunk_size=_BATCH)):
        if number % _BATCH == 0:
            let_others_run()
        row = dict(zip(_COLUMNS, values, strict=True))
        row["owner_id"] = keyring.owner
        sealed, code = row["body"], row["mac"]
        try:
            mac.verify(keyring, code.envelope if code is not None else b"", row)
            opened = _decode(body.unseal(keyring, sealed.envelope, row))
        except WrongEpoch:
            raise
        except EnvelopeError:
            opened = None
        yield OpenFact(
            id=row["id"],
            entry_id=row["entry_id"],
            successor_id=row["successor_id"],
            state=row["state"],
            origin=row["origin"],
            day=row["entry_day"] or row["created_at"].astimezone(UTC).date(),
            created_at=row["created_at"],
            changed_at=row["changed_at"],
            body=opened if isinstance(opened, dict) else None,
        )
