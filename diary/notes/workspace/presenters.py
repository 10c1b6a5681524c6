"""The preview of an import and its result, for the page."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from diary.models import Origin
from diary.notes.kind_descriptions import KIND_DESCRIPTIONS
from diary.notes.workspace.imports import ComparedFile, NoteImportReport, WorkspaceFileState
from llamora.pluralize import pluralize

_TITLES: Final = {
    WorkspaceFileState.NEW: "New",
    WorkspaceFileState.CHANGED: "Another text here",
    WorkspaceFileState.SAME: "The same here",
    WorkspaceFileState.REFUSED: "Can’t be imported",
}


@dataclass(frozen=True, kw_only=True)
class PreviewRow:
    """A file in the preview; invisible characters in `path` are shown as question marks."""

    path: str = field(repr=False)
    details: str


@dataclass(frozen=True, kw_only=True)
class PreviewSection:
    """The files of a preview that are in one state, such as new or changed."""

    state: str
    title: str
    rows: Sequence[PreviewRow]


@dataclass(frozen=True, kw_only=True)
class ImportPreview:
    """The preview of an import; `can_import` is true if a file is new or differs from its note."""

    sections: Sequence[PreviewSection]
    has_changed: bool
    can_import: bool


@dataclass(frozen=True, kw_only=True)
class ImportResult:
    """Sentences about a finished import, and the files that were refused or not imported."""

    sentences: Sequence[str]
    refused: Sequence[PreviewRow]
    left: Sequence[str] = field(repr=False)
    has_imported: bool
    # None where all of them are known to be this diary's own.
    import_id: UUID | None


def build_preview(files: Sequence[ComparedFile]) -> ImportPreview:
    """Return the preview: a section for each state, new files first; each section is sorted by path."""
    ordered = sorted(files, key=lambda each: each.path)
    by_state = {state: [each for each in ordered if each.state is state] for state in _TITLES}
    return ImportPreview(
        sections=[
            PreviewSection(
                state=state.value, title=title, rows=[_build_row(each) for each in by_state[state]]
            )
            for state, title in _TITLES.items()
            if by_state[state]
        ],
        has_changed=bool(by_state[WorkspaceFileState.CHANGED]),
        can_import=bool(by_state[WorkspaceFileState.NEW] or by_state[WorkspaceFileState.CHANGED]),
    )


def build_result(report: NoteImportReport) -> ImportResult:
    """Return the sentences about a finished import."""
    counts = (
        (report.added, "imported"),
        (report.replaced, "replaced; what it said before is in the history for thirty days"),
        (report.same, "here already with the same text"),
    )
    return ImportResult(
        sentences=[f"{pluralize(count, 'note', 'notes')} {said}." for count, said in counts if count],
        refused=[PreviewRow(path=_show(path), details=reason) for path, reason in report.refused],
        left=[_show(path) for path in report.left],
        has_imported=bool(report.added or report.replaced),
        import_id=report.import_id if report.has_others else None,
    )


def _build_row(each: ComparedFile) -> PreviewRow:
    if each.sentence:
        return PreviewRow(path=_show(each.path), details=each.sentence)
    whose = "" if each.stamp is None else ", yours" if each.origin == Origin.OWN else ", exported here"
    return PreviewRow(path=_show(each.path), details=f"{KIND_DESCRIPTIONS[each.kind].title}{whose}")


def _show(path: str) -> str:
    return "".join(one if one.isprintable() else "?" for one in path)
