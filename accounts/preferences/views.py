"""The page of what a person has chosen, and the way to everything else about them."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.decorators import unlock_required
from accounts.http.error_responses import FORM_INVALID
from accounts.http.request import HouseholdRequest
from accounts.models import SlotKind
from accounts.preferences.forms import SettingsForm
from accounts.preferences.services import PreferenceValues, save_preferences
from accounts.rotation import services as rotation_services


@require_http_methods(["GET", "HEAD", "POST"])
@unlock_required
def settings_page(request: HouseholdRequest) -> HttpResponse:
    """Show what a person has chosen, and change it."""
    person = request.user
    if request.method != "POST":
        initial = {name: getattr(person, name) for name in SettingsForm.base_fields}
        return _render_page(request, SettingsForm(initial=initial))
    form = SettingsForm(request.POST)
    if not form.is_valid():
        return _render_page(request, form, status=FORM_INVALID)
    save_preferences(person, PreferenceValues(**form.cleaned_data))
    messages.success(request, "Saved.")
    return redirect("settings")


def _render_page(request: HouseholdRequest, form: SettingsForm, *, status: int = 200) -> HttpResponse:
    person = request.user
    made = dict(person.slots.values_list("kind", "created_at"))
    context = {
        "form": form,
        "in_settings": True,
        "password_since": made.get(SlotKind.PASSWORD),
        "code_since": made.get(SlotKind.RECOVERY),
        "progress": rotation_services.get_rotation_progress(person.id),
        "browser_count": person.sign_ins.count(),
    }
    return render(request, "accounts/settings.html", context, status=status)
