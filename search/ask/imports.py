"""Import of the questions in an export. Questions that the diary already has are skipped.

Call these functions inside `in_force`, which makes the owner's keys available.

Imported questions and answers count as text of others, whatever the file says: a model must not take them for
its owner's. So an imported conversation cannot be continued like one that was held here.
"""

from typing import Any, Final

from django.conf import settings

from diary.hooks import ImportedFile
from diary.models import Origin
from diary.transfer.row_parser import (
    ColumnParsers,
    InvalidValue,
    choice_parser,
    parse_code,
    parse_datetime,
    parse_entry_text,
    parse_prompt_record,
    parse_text,
    parse_uuid,
)
from llamora.fields import new_id
from llamora.inference.job import LIVE_STATES, JobState
from llamora.source_names import clean_source_name
from search import messages
from search.ask.services import MAX_NAME_LENGTH, MAX_QUESTION_LENGTH
from search.ask.sources import replace_source_ids
from search.models import Question

KIND: Final = "questions"
_MAX_ANSWER_LENGTH: Final = 10 * settings.MAX_TEXT
_COLUMNS: Final[ColumnParsers] = {
    "session_id": (parse_uuid, None),
    "answer": (lambda value: parse_text(value, limit=_MAX_ANSWER_LENGTH), ""),
    "name": (lambda value: clean_source_name(parse_text(value, limit=MAX_NAME_LENGTH)), None),
    "state": (choice_parser(JobState.values), JobState.DONE.value),
    "reason": (parse_code, ""),
    "read": (parse_prompt_record, None),
    "created_at": (parse_datetime, None),
    "finished_at": (parse_datetime, None),
}


def insert_question(file: ImportedFile, number: int, row: dict[str, Any]) -> bool:
    """Insert a question, unless the diary has it already; return whether it was added."""
    label = messages.QUESTION_LABEL.format(number=number)
    try:
        text, file_id = (
            parse_entry_text(row.get("text"), limit=MAX_QUESTION_LENGTH),
            parse_uuid(row.get("id")),
        )
    except InvalidValue:
        return file.refuse(messages.QUESTION_INCOMPLETE.format(label=label))
    ids = (file_id, file.derive_id(b"question", file_id.bytes))
    owners = dict(Question.objects.filter(id__in=ids).order_by().values_list("id", "owner_id"))
    if file.owner_id in owners.values():
        return False
    columns = file.parse_columns(label, row, _COLUMNS)
    # Its own conversations have other ids, so that none goes on in one of these.
    session_id = file.derive_id(b"session", (columns.pop("session_id") or file_id).bytes)
    if columns["state"] in LIVE_STATES:
        columns |= {"state": JobState.INTERRUPTED.value, "reason": "crashed"}
    columns |= {"read": file.adopt_record(columns["read"]), "created_at": columns["created_at"] or file.now}
    Question(
        id=next((id_ for id_ in ids if id_ not in owners), None) or new_id(),
        owner_id=file.owner_id,
        session_id=session_id,
        origin=Origin.IMPORTED,
        has_read_imported=True,
        text=text,
        sources=replace_source_ids(row.get("sources"), file.resolve_entries),
        **columns,
    ).save(force_insert=True)
    return True
