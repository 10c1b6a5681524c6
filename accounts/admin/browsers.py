"""The admin page of signed-in browsers, where an administrator can sign them out."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.admin.site import HouseholdModelAdmin, format_datetime, site
from accounts.models import SignIn
from accounts.sessions import services as sessions_services
from llamora.pluralize import pluralize


@admin.register(SignIn, site=site)
class SignInAdmin(HouseholdModelAdmin):
    """The admin page of signed-in browsers."""

    fields = ("person_name", "browser", "since", "last_seen", "until", "diary")
    readonly_fields = fields
    list_display = fields
    list_select_related = ("person", "unlock")
    ordering = ("-last_active",)
    actions = ("end_sessions",)

    def has_view_permission(self, *_: Any, **__: Any) -> bool:
        """Return True: an administrator may see the page."""
        return True

    def get_row_title(self, row: Any) -> str:
        """Return the person's name and the description of the browser."""
        return f"{row.person.name}, {self.browser(row)}"

    @admin.display(description="person", ordering="person__name")
    def person_name(self, row: SignIn) -> str:
        """Return the name of the person who is signed in."""
        return row.person.name

    @admin.display(description="browser", ordering="device")
    def browser(self, row: SignIn) -> str:
        """Return the description of the browser, taken from its User-Agent header."""
        return row.device or "A browser"

    @admin.display(description="signed in", ordering="created_at")
    def since(self, row: SignIn) -> str:
        """Return when the person signed in with this browser."""
        return format_datetime(row.created_at)

    @admin.display(description="last seen", ordering="last_active")
    def last_seen(self, row: SignIn) -> str:
        """Return when this browser was last active."""
        return format_datetime(row.last_active)

    @admin.display(description="stays signed in until", ordering="ends_at")
    def until(self, row: SignIn) -> str:
        """Return when this sign-in ends: a date, or words such as "the browser is closed"."""
        if not row.is_persistent:
            return "the browser is closed"
        return format_datetime(row.ends_at) if row.ends_at else "the household's limit"

    @admin.display(description="diary", ordering="unlock")
    def diary(self, row: SignIn) -> str:
        """Return whether the person's diary is unlocked or locked in this browser, as a word."""
        return "unlocked" if getattr(row, "unlock", None) is not None else "locked"

    @admin.action(description="Sign out selected browsers")
    def end_sessions(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        """Sign the selected browsers out."""
        chosen = list(rows)
        for row in chosen:
            sessions_services.end_session(sign_in_id=row.id, person_id=row.person_id)
        sentence = f"{pluralize(len(chosen), 'browser was', 'browsers were')} signed out."
        self.message_user(request, sentence, messages.SUCCESS)
