"""The settings page: the preferences of a person, and links to all other pages about their account."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.decorators import unlock_required
from accounts.http.error_responses import FORM_INVALID
from accounts.http.request import HouseholdRequest
from accounts.keys.vault_state import has_unconfirmed_code
from accounts.models import SlotKind
from accounts.preferences.forms import PreferencesForm
from accounts.rotation import services as rotation_services
from llamora.clock.sentences import find_warning
from llamora.clock.services import find_elapsed_time
from llamora.database import backup_files


@require_http_methods(["GET", "HEAD", "POST"])
@unlock_required
def settings_page(request: HouseholdRequest) -> HttpResponse:
    """Show a person's preferences, and save changes."""
    if request.method != "POST":
        return _render_page(request, PreferencesForm(instance=request.user))
    form = PreferencesForm(request.POST, instance=request.user)
    if not form.is_valid():
        return _render_page(request, form, status=FORM_INVALID)
    form.save()
    messages.success(request, "Saved.")
    return redirect("settings")


@unlock_required
def redirect_to_section(request: HouseholdRequest, section: str) -> HttpResponse:
    """Redirect the URL of a former page to the section of the settings page that replaced it.

    A POST saves nothing.
    """
    del request
    return redirect(f"{reverse('settings')}#{section}")


def _render_page(request: HouseholdRequest, form: PreferencesForm, *, status: int = 200) -> HttpResponse:
    person = request.user
    slot_dates = dict(person.slots.values_list("kind", "created_at"))
    context = {
        "form": form,
        "in_settings": True,
        "password_since": slot_dates.get(SlotKind.PASSWORD),
        "code_since": slot_dates.get(SlotKind.RECOVERY),
        "is_code_unconfirmed": has_unconfirmed_code(request.vault.keyring),
        "progress": rotation_services.get_rotation_progress(person.id),
        "browser_count": person.sign_ins.count(),
        "clock_warning": find_warning(find_elapsed_time(), now=timezone.now()) if person.is_staff else None,
        **_get_backup_context(),
    }
    return render(request, "accounts/settings.html", context, status=status)


def _get_backup_context() -> dict[str, Any]:
    """Return what everybody may know about the household's backups: whether there are any, and how old."""
    backups, now = backup_files.list_backups(settings.BACKUP_DIR), timezone.now()
    past = backup_files.select_past(backups, now=now)
    newest = past[-1].made_at if past else None
    return {
        "has_backups": bool(backups),
        "newest_backup": newest,
        "is_backup_old": newest is not None and now - newest > backup_files.FRESH_AGE,
        "is_backup_daily": settings.BACKUP_DAILY,
    }
