"""The page on which the administrator manages the household's model."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.decorators import administrator_required
from accounts.http.error_responses import FORM_INVALID
from accounts.http.request import HouseholdRequest
from accounts.model_settings.presenters import build_file_views
from llamora.inference import model_server
from llamora.inference.messages import REMOTE_NOTICE
from llamora.inference.model_choice import services
from llamora.inference.model_choice.catalogue import format_gigabytes
from llamora.inference.model_choice.errors import ChoiceRefused
from llamora.llm.formats.registry import FORMATS, describe_unsupported
from llamora.llm.formats.wire_format import AUTO

# Returns a message, or nothing if the page shows what happened.
Action = Callable[[QueryDict], str]
# The names of wire formats for people.
_FORMATS: Final = (
    (AUTO, "Find out"),
    *((name, wire_format.title) for name, wire_format in FORMATS.items()),
)


@require_http_methods(["GET", "HEAD", "POST"])
@administrator_required
def model_settings(request: HouseholdRequest) -> HttpResponse:
    """Show the model in use and the available ones, or choose, download or delete a model.

    A script that follows a download gets only that part of the page. At the end it gets the whole page,
    because files and buttons have changed.
    """
    if request.method == "POST":
        return _act(request)
    if request.htmx:
        return _render_download(request)
    return _render_page(request)


def _act(request: HouseholdRequest) -> HttpResponse:
    act = _ACTIONS.get(request.POST.get("act", ""))
    if act is None:
        return _render_page(request, refusal="Press one of the buttons on this page.", status=FORM_INVALID)
    try:
        message = act(request.POST)
    except ChoiceRefused as refusal:
        return _render_page(request, refusal=str(refusal), status=FORM_INVALID)
    if message:
        messages.success(request, message)
    return redirect("model_settings")


def _render_download(request: HouseholdRequest) -> HttpResponse:
    context = _build_download_context()
    response = render(request, "accounts/fragments/model_download.html", context)
    if not (context["progress"] and context["progress"].is_running):
        response["HX-Refresh"] = "true"
    return response


def _render_page(request: HouseholdRequest, *, refusal: str = "", status: int = 200) -> HttpResponse:
    config, summary = model_server.get_config(), services.describe_selection()
    context = {
        "in_settings": True,
        "refusal": refusal,
        "typed_path": "" if summary.setting else _get_typed_path(request.POST),
        "typed_server": {} if summary.setting else _get_typed_server(request.POST),
        "formats": _FORMATS,
        "unsupported_sampling": describe_unsupported(
            model_server.get_status().wire_format, settings.MODEL_SAMPLING
        ),
        "status": model_server.get_status(),
        "summary": summary,
        "chosen_url": summary.selection.url,
        "chosen_model": summary.selection.model,
        "context_tokens": config.context,
        "files": build_file_views(services.list_files()),
        "servers": services.list_servers(),
        "remote_notice": REMOTE_NOTICE,
        "catalogue": services.list_catalogue(),
        "unfinished": services.list_unfinished(),
        "folder": services.get_models_folder(),
        **_build_download_context(),
    }
    return render(request, "accounts/model_settings.html", context, status=status)


def _get_typed_path(form: QueryDict) -> str:
    return form.get("file", "") if form.get("act") == "choose_path" else ""


def _get_typed_server(form: QueryDict) -> dict[str, str]:
    """Return what was typed about a server, so that a refusal loses nothing."""
    if form.get("act") != "choose_address":
        return {}
    return {name: form.get(name, "") for name in ("url", "model", "format")}


def _build_download_context() -> dict[str, Any]:
    progress = services.get_download_progress()
    if progress and progress.phase == "finished":
        progress = progress if (services.get_models_folder() / progress.name).exists() else None
    return {"progress": progress, "progress_total": format_gigabytes(progress.total) if progress else ""}


def _choose_file(form: QueryDict) -> str:
    return f"{services.choose_file(form.get('file', '')).name} is chosen."


def _choose_server(form: QueryDict) -> str:
    services.choose_server(form.get("url", "").strip(), form.get("model", "").strip(), form.get("format", ""))
    return "The server is chosen."


def _choose_nothing(form: QueryDict) -> str:
    del form
    services.withdraw_choice()
    return "Nothing is chosen now: Llamora uses the first model that it finds."


def _remove_file(form: QueryDict) -> str:
    services.remove_file(form.get("file", ""))
    return "The file is deleted."


def _start_download(form: QueryDict) -> str:
    services.start_download(form.get("name", ""), use=True)
    return ""


def _cancel_download(form: QueryDict) -> str:
    del form
    services.cancel_download()
    return ""


# By the value of the button.
_ACTIONS: Final[Mapping[str, Action]] = MappingProxyType(
    {
        "choose_file": _choose_file,
        "choose_path": _choose_file,
        "choose_server": _choose_server,
        "choose_address": _choose_server,
        "choose_nothing": _choose_nothing,
        "remove_file": _remove_file,
        "download": _start_download,
        "cancel": _cancel_download,
    }
)
