"""Every sealed column of faa336b, and its values as the independent reader decrypts them.

The names of tables, columns and triggers, and the labels that envelopes are bound to, are frozen. A column
that is renamed in Python keeps these names; later columns are not in this list.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.rotation.independent_reader import CODES, TEXTS, TRACES, Bound, Diary, get_epoch

OF_REPLY: Bound = {"diary.reply.entry": ("entry_id", "u"), "diary.reply.kind": ("kind", "s")}
OF_OPENING: Bound = {"diary.opening.day": ("day", "d")}

# (table, column): the label, and what is bound besides row, owner and epoch.
SEALED: dict[tuple[str, str], tuple[str, Bound]] = {
    ("accounts_vault", "private_key"): (
        "accounts.vault.private_key",
        {"accounts.vault.public_key": ("public_key", "b")},
    ),
    ("accounts_vault", "digest_key"): ("accounts.vault.digest_key", {}),
    ("accounts_vault", "former_pair"): ("accounts.vault.former_pair", {}),
    ("accounts_vault", "ways_in"): ("accounts.vault.ways_in", {}),
    ("accounts_formerkey", "data_key"): (
        "accounts.former_key.data_key",
        {"accounts.former_key.epoch": ("epoch", "i")},
    ),
    ("diary_entry", "text"): ("diary.entry.text", {"diary.entry.day": ("day", "d")}),
    ("diary_entry", "source"): ("diary.entry.source", {}),
    ("diary_version", "text"): (
        "diary.version.text",
        {"diary.version.entry": ("entry_id", "u"), "diary.version.revision": ("revision", "i")},
    ),
    ("diary_draft", "text"): ("diary.draft.text", {"diary.draft.day": ("day", "d")}),
    ("diary_reply", "text"): ("diary.reply.text", OF_REPLY),
    ("diary_reply", "read"): ("diary.reply.read", OF_REPLY),
    ("diary_opening", "text"): ("diary.opening.text", OF_OPENING),
    ("diary_opening", "read"): ("diary.opening.read", OF_OPENING),
    ("diary_recap", "body"): ("diary.recap.body", {"diary.recap.day": ("day", "d")}),
    ("diary_ownkind", "words"): ("diary.own_kind.words", {}),
    ("traces_trace", "name"): ("traces.trace.name", {}),
    ("traces_trace", "summary"): ("traces.trace.summary", {}),
    ("traces_proposal", "body"): ("traces.proposal.body", {"traces.proposal.entry": ("entry_id", "u")}),
    ("traces_change", "body"): (
        "traces.change.body",
        {"traces.change.trace": ("trace_id", "u"), "traces.change.kind": ("kind", "s")},
    ),
    ("search_recentsearch", "text"): ("search.recent.text", {}),
    ("search_vector", "body"): (
        "search.vector.body",
        {
            "search.vector.source": ("source", "u"),
            "search.vector.embedder": ("embedder", "s"),
            "search.vector.rule": ("rule", "s"),
        },
    ),
}
# What format 2 binds more.
BOUND_SINCE: dict[str, Bound] = {
    **{label: bound for _, label, _, _, bound in TEXTS.values()},
    "traces.trace.name": TRACES,
    "traces.change.body": {
        "traces.change.trace": ("trace_id", "u"),
        "traces.change.into": ("into_id", "u"),
        "traces.change.kind": ("kind", "s"),
    },
}
TRIGGERS = {f"fence_{table}_{column}_{event}" for table, column in SEALED for event in ("insert", "update")}


@dataclass(frozen=True, kw_only=True)
class Value:
    """A decrypted envelope and its place in the database."""

    table: str
    column: str
    row: str
    epoch: int
    plaintext: bytes

    def is_like(self, exported: Any) -> bool:
        """Return whether an exported value is equal: a text, JSON, or bytes in hexadecimal."""
        if (self.table, self.column) == ("diary_entry", "source"):
            return bool(self.plaintext.hex() == exported)
        if isinstance(exported, str):
            return self.plaintext.decode() == exported
        return bool(json.loads(self.plaintext) == exported)


def list_values(database: Path, *, name: str, secret: str) -> Iterator[Value]:
    """Yield all values of a person, opened with a password or recovery code.

    Raise CannotOpenError if one does not open, or if the code of plaintext columns is wrong.
    """
    diary = Diary(database, name=name, secret=secret)
    for table in CODES:
        for row in diary.rows.execute(f"SELECT * FROM {table} WHERE owner_id = ?", [diary.owner]).fetchall():
            diary.check_code(table, row)
    for (table, column), (label, bound) in SEALED.items():
        statement = f"SELECT * FROM {table} WHERE owner_id = ? AND {column} IS NOT NULL ORDER BY id"
        for row in diary.rows.execute(statement, [diary.owner]).fetchall():
            is_old = row[column][0] == 1
            plaintext = diary.open_field(
                row, column, label=label, bound=bound if is_old else BOUND_SINCE.get(label, bound)
            )
            epoch = get_epoch(row[column])
            yield Value(table=table, column=column, row=row["id"], epoch=epoch, plaintext=plaintext)
