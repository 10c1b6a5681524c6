"""The page that imports a workspace, in two steps: upload, then confirmation of the preview."""

import io
from typing import Final
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from accounts.decorators import unlock_required
from accounts.http.error_responses import FORM_INVALID
from accounts.http.request import HouseholdRequest
from diary import messages
from diary.notes.forms import WorkspaceForm
from diary.notes.workspace.files import NotAWorkspace, WorkspaceFile, read_workspace, read_zip
from diary.notes.workspace.imports import import_workspace, preview_workspace
from diary.notes.workspace.pending_workspaces import pending_workspaces
from diary.notes.workspace.presenters import build_preview, build_result
from llamora.source_names import clean_source_name

# The size of one request, of which the other fields of the form need a little.
_MAX_REQUEST: Final = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
_FORM_BYTES: Final = 10_000


@require_http_methods(["GET", "HEAD", "POST"])
@unlock_required
def import_notes(request: HouseholdRequest) -> HttpResponse:
    """Show the form, the preview of an uploaded workspace, or the result of the import."""
    if request.method != "POST":
        return _render(request, WorkspaceForm())
    if "waiting" in request.POST:
        return _import(request)
    form = WorkspaceForm(request.POST, request.FILES)
    if not form.is_valid():
        return _render(request, form, status=FORM_INVALID)
    upload = form.cleaned_data["file"]
    source, data = clean_source_name(str(upload.name)), bytes(upload.read())
    try:
        files = _read(data)
    except NotAWorkspace as error:
        form.add_error("file", error.sentence)
        return _render(request, form, status=FORM_INVALID)
    keyring = request.vault.keyring
    preview = build_preview(preview_workspace(keyring, files))
    waiting = pending_workspaces.add(keyring, source=source, data=data)
    return _render(request, WorkspaceForm(), preview=preview, waiting=waiting, source=source)


def _import(request: HouseholdRequest) -> HttpResponse:
    keyring = request.vault.keyring
    found = pending_workspaces.take(keyring, _parse_id(request.POST["waiting"]))
    if found is None:
        return _render(request, WorkspaceForm(), status=FORM_INVALID, gone=messages.WORKSPACE_GONE)
    source, data = found
    report = import_workspace(keyring, _read(data), source=source, replaces="replace" in request.POST)
    return _render(request, WorkspaceForm(), result=build_result(report))


def _read(data: bytes) -> list[WorkspaceFile]:
    files = read_workspace(read_zip(io.BytesIO(data)))
    if not files:
        raise NotAWorkspace(messages.WORKSPACE_EMPTY)
    return files


def _parse_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)


def _render(
    request: HouseholdRequest, form: WorkspaceForm, *, status: int = 200, **context: object
) -> HttpResponse:
    shown = {"form": form, "in_notes": True, "limit": _MAX_REQUEST - _FORM_BYTES, **context}
    return render(request, "diary/notes/import.html", shown, status=status)
