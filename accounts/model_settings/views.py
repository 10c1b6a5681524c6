"""The page on which the administrator sees what writes in the household, and where a model comes from."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.decorators import administrator_required
from accounts.http.request import HouseholdRequest
from accounts.model_settings.presenters import ModelFileView, build_file_view
from llamora.inference import model_server
from llamora.llm.model_files.gguf import is_later_part


@require_safe
@administrator_required
def model_settings(request: HouseholdRequest) -> HttpResponse:
    """Show what writes now, and where a model comes from."""
    return _render_page(request)


def _render_page(request: HouseholdRequest, *, status: int = 200) -> HttpResponse:
    return render(request, "accounts/model_settings.html", _build_context(), status=status)


def _build_context() -> dict[str, Any]:
    folder = settings.DATA_DIR / "models"
    return {
        "in_settings": True,
        "status": model_server.get_status(),
        "folder": folder,
        "files": list(_list_model_files(folder)),
    }


def _list_model_files(folder: Path) -> Iterator[ModelFileView]:
    for path in sorted(folder.glob("*.gguf")):
        if not is_later_part(path.name):
            # Another user's, or removed meanwhile.
            with suppress(OSError):
                yield build_file_view(path)
