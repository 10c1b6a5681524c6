"""The admin site for administrators with an unlocked vault. It shows people, but never their texts.

It has no sign-in page of its own: a browser that is signed out or locked is redirected to the ordinary
pages. To a signed-in person who is not an administrator, every page of the site answers 404.
"""

from datetime import datetime
from functools import update_wrapper
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import messages
from django.contrib.admin import AdminSite, ModelAdmin, display
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.forms import CheckboxInput
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import SimpleTemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst

from accounts.http import next_url
from accounts.http.request import NOBODY, RequestVault
from accounts.preferences.time_zones import get_time_zone_or_default
from llamora.clock.sentences import find_warning
from llamora.clock.services import find_elapsed_time
from llamora.database import backup_files

if TYPE_CHECKING:
    _Admin = ModelAdmin[Any]
else:
    _Admin = ModelAdmin


class HouseholdAdminSite(AdminSite):
    """The admin site, for an administrator whose vault is unlocked."""

    site_header = "Llamora administration"
    site_title = "Llamora"
    index_title = "Administration"
    index_template = "admin/dashboard.html"
    site_url = "/"
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        """Return whether an administrator may use the admin pages, for which their vault must be unlocked.

        Raise Http404 for a signed-in person who is not an administrator.
        """
        vault: RequestVault = getattr(request, "vault", NOBODY)
        if vault.person is not None and not vault.person.is_staff:
            raise Http404
        return vault.is_unlocked

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Return the view, wrapped so that it runs and renders in the time zone of the administrator."""
        inner = super().admin_view(view, cacheable)

        def view_in_time_zone(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            person = getattr(request, "vault", NOBODY).person
            with timezone.override(ZoneInfo(get_time_zone_or_default(person.time_zone if person else ""))):
                answer = inner(request, *args, **kwargs)
                return answer.render() if isinstance(answer, SimpleTemplateResponse) else answer

        return update_wrapper(view_in_time_zone, inner)

    def index(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Show the sections of the admin, the state of the backups, and any warning about the clock."""
        return super().index(request, {**(extra_context or {}), **_get_dashboard_context()})

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Redirect to the ordinary sign-in or unlock page; the admin asks for no password itself."""
        del extra_context
        following = next_url.get_next_url(request)
        vault: RequestVault = getattr(request, "vault", NOBODY)
        if self.has_permission(request):
            return redirect("admin:index" if following == next_url.HOME else following)
        page = "sign_in" if vault.person is None else "unlock"
        return redirect(f"{reverse(page)}?{urlencode({'next': following})}")

    def logout(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Sign out with the ordinary view."""
        from accounts.auth.views.login import sign_out  # noqa: PLC0415 - views stand above this

        del extra_context
        return sign_out(request)  # type: ignore[arg-type]  # passed the vault middleware

    def get_urls(self) -> list[Any]:
        """Return the admin's URLs without Django's password pages, which could not change a key slot."""
        return [url for url in super().get_urls() if "password" not in str(url.pattern)]


def _get_dashboard_context() -> dict[str, Any]:
    backups, now = backup_files.list_backups(settings.BACKUP_DIR), timezone.now()
    past = backup_files.select_past(backups, now=now)
    newest = past[-1] if past else None
    return {
        "clock_warning": find_warning(find_elapsed_time(), now=now),
        "future_count": len(backups) - len(past),
        "backups": backups,
        "newest": newest,
        "size": sum(backup.path.stat().st_size for backup in backups),
        "is_old": newest is not None and now - newest.made_at > backup_files.FRESH_AGE,
        "is_daily": settings.BACKUP_DAILY,
        "days": settings.BACKUP_KEEP_DAYS,
        "weeks": settings.BACKUP_KEEP_WEEKS,
    }


def format_datetime(at: datetime) -> str:
    """Return a date and time as text, in the current time zone."""
    # No-break spaces: in a narrow list the line breaks between date and time only.
    return date_format(timezone.localtime(at), "j\u00a0M\u00a0Y, H:i")


class HouseholdModelAdmin(_Admin):
    """Base class of our admin pages. Rows can't be added, changed or deleted unless a subclass allows it.

    Names of people are not written to log entries, or to messages, which are sent in a cookie. Only the page
    itself shows the title by which people recognise a row.
    """

    def get_row_title(self, row: Any) -> str:
        """Return the title of a row on the admin pages."""
        raise NotImplementedError

    def has_add_permission(self, *_: Any, **__: Any) -> bool:
        """Return False: people create their rows themselves, on the ordinary pages."""
        return False

    def has_change_permission(self, *_: Any, **__: Any) -> bool:
        """Return False; a subclass may allow changes."""
        return False

    def has_delete_permission(self, *_: Any, **__: Any) -> bool:
        """Return False; a subclass may allow deletion."""
        return False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Show the list of rows, titled with the plural name of the model."""
        title = capfirst(self.opts.verbose_name_plural)
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def changeform_view(
        self, request: HttpRequest, object_id: Any = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        """Show the form of a row, titled with the title of the row."""
        context = {**self._get_title_context(request, object_id), "show_save_and_continue": False}
        return super().changeform_view(request, object_id, form_url, {**context, **(extra_context or {})})

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        """Show the history of a row, titled with the title of the row."""
        context = self._get_title_context(request, object_id)
        return super().history_view(request, object_id, {**context, **(extra_context or {})})

    def response_change(self, request: HttpRequest, obj: Any) -> Any:
        """Report the change in a message that contains no id."""
        self.message_user(request, "Saved.", messages.SUCCESS)
        return self.response_post_save_change(request, obj)

    # The heading is Django's own checkbox for all rows: fixed markup, without anything a person typed.
    @display(description=mark_safe('<input type="checkbox" id="action-toggle">'))
    def action_checkbox(self, obj: Any) -> SafeString:
        """Return the checkbox of a row, labelled with its title for screen readers."""
        attrs = {"class": "action-select", "aria-label": f"Select {self.get_row_title(obj)}"}
        box = CheckboxInput(attrs, check_test=lambda _: False)
        return box.render(ACTION_CHECKBOX_NAME, str(obj.pk))

    def _get_title_context(self, request: HttpRequest, object_id: Any) -> dict[str, Any]:
        row = self.get_object(request, object_id) if object_id else None
        return {"title": self.get_row_title(row), "subtitle": None} if row else {}


site = HouseholdAdminSite(name="admin")
