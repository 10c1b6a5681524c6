"""Rules for programs that may read only the owner's own texts: which rows of each table they may export.

Rows of a table without a rule are left out. So is an entry whose text cannot be decrypted: only decrypting it
proves that its origin was not changed.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from diary import hooks
from diary.entries.queries import list_own_ids
from diary.generation.prompt_record import PromptRecord, find_read_realms, find_recap_sources
from diary.hooks import ExportRule
from diary.models import TRUSTED_ORIGINS, Entry, Origin
from diary.origins.provenance import get_first_own_revision
from llamora.crypto import current_realm_keyring

_BuildRule = Callable[[frozenset[UUID]], ExportRule]


class ExportRules:
    """Rules that decide, by table, which rows a program may export.

    They hold for the snapshot of the database in which they were created.
    """

    def __init__(self, owner_id: UUID) -> None:
        own_ids = list_own_ids(owner_id)
        self._rules = {label: build(own_ids) for label, build in _RULES.items()}
        self._rules |= hooks.build_export_rules(owner_id, own_ids)

    def allows(self, row: Any, entry: Entry | None = None) -> bool:
        """Return whether a row may be exported; call inside `in_force` with the owner's keyring."""
        rule = self._rules.get(row._meta.label_lower)
        return rule is not None and rule(row, entry)


def _is_own(row: Entry, entry: Entry | None) -> bool:
    del entry
    return row.is_trusted and row.open_or("text", None) is not None


def _build_entry_rule(own_ids: frozenset[UUID]) -> ExportRule:
    del own_ids
    return _is_own


def _build_version_rule(own_ids: frozenset[UUID]) -> ExportRule:
    """Allow the versions of an entry from the first revision on that counts as its owner's own."""
    del own_ids
    return lambda row, entry: entry is not None and row.revision >= get_first_own_revision(entry)


def _build_draft_rule(own_ids: frozenset[UUID]) -> ExportRule:
    """Allow drafts of new entries, and drafts of edits of their owner's own entries.

    Only ids are compared: the entry of a row that was changed in the database may not exist.
    """
    return lambda row, _: row.entry_id is None or row.entry_id in own_ids


def _build_model_text_rule(own_ids: frozenset[UUID]) -> ExportRule:
    """Allow a text of the model that was generated from its owner's own words alone.

    Each entry that it read must still be its owner's own. If it read facts or notes, the program's keyring
    must have their keys.
    """
    keyring = current_realm_keyring()

    def is_clean(row: Any, entry: Entry | None) -> bool:
        del entry
        text, read = row.open_or("text", None), row.open_or("read", None)
        record = PromptRecord.from_json(read)
        if text is None or record is None or not record.is_clean(text):
            return False
        has_keys = keyring.has_realms(find_read_realms(read, text))
        return has_keys and record.source_ids <= own_ids

    return is_clean


def _build_recap_rule(own_ids: frozenset[UUID]) -> ExportRule:
    def is_clean(row: Any, entry: Entry | None) -> bool:
        del entry
        read = find_recap_sources(row.open_or("body", None))
        return read is not None and read <= own_ids

    return is_clean


def _build_reply_kind_rule(own_ids: frozenset[UUID]) -> ExportRule:
    del own_ids

    def is_own(row: Any, entry: Entry | None) -> bool:
        del entry
        words = row.open_or("words", None)
        return isinstance(words, dict) and words.get("origin", Origin.OWN.value) in TRUSTED_ORIGINS

    return is_own


_RULES: dict[str, _BuildRule] = {
    "diary.entry": _build_entry_rule,
    "diary.version": _build_version_rule,
    "diary.draft": _build_draft_rule,
    "diary.reply": _build_model_text_rule,
    "diary.opening": _build_model_text_rule,
    "diary.recap": _build_recap_rule,
    "diary.customreplykind": _build_reply_kind_rule,
    # Not one text of the Inbox is its owner's own.
    "diary.inboxitem": lambda _: lambda _row, _entry: False,
}
