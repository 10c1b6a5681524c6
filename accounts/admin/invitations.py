"""The admin page of invitations: create one, show its link once, withdraw it."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.admin.site import HouseholdModelAdmin, format_datetime, site
from accounts.auth.services import invitations
from accounts.models import Invitation, Person
from llamora.pluralize import pluralize


@admin.register(Invitation, site=site)
class InvitationAdmin(HouseholdModelAdmin):
    """The admin page of invitations. It shows a link only once, because the row stores only a hash."""

    fields = ("creation_time", "made_by_name", "state", "until", "use_time", "used_by_name")
    readonly_fields = fields
    list_display = fields
    list_select_related = ("made_by", "used_by")
    ordering = ("-created_at",)
    actions = ("withdraw",)

    def has_view_permission(self, *_: Any, **__: Any) -> bool:
        """Return True: an administrator may see the page."""
        return True

    def has_add_permission(self, *_: Any, **__: Any) -> bool:
        """Return True: an administrator may create an invitation."""
        return True

    def get_row_title(self, row: Any) -> str:
        """Return the creation time as the title, because an invitation has no name."""
        return f"Invitation of {self.creation_time(row)}"

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Create an invitation on POST and show its link in the response; the link cannot be shown again."""
        del form_url, extra_context
        context = {**self.admin_site.each_context(request), "title": "Invite someone"}
        if request.method == "POST":
            invitation, token = invitations.create_invitation(
                by=request.user if isinstance(request.user, Person) else None
            )
            link = request.build_absolute_uri(invitations.build_invitation_path(token))
            context |= {"link": link, "until": self.until(invitation)}
        return render(request, "admin/accounts/invitation/invite.html", context)

    @admin.display(description="created", ordering="created_at")
    def creation_time(self, row: Invitation) -> str:
        """Return when the invitation was created."""
        return format_datetime(row.created_at)

    @admin.display(description="by", empty_value="the terminal")
    def made_by_name(self, row: Invitation) -> str | None:
        """Return the name of the administrator who created the invitation."""
        return row.made_by.name if row.made_by else None

    @admin.display(description="state")
    def state(self, row: Invitation) -> str:
        """Return whether the invitation is open, used or expired."""
        if row.used_at is not None:
            return "used"
        return "open" if invitations.get_open_invitations().filter(id=row.id).exists() else "expired"

    @admin.display(description="valid until", ordering="expires_at")
    def until(self, row: Invitation) -> str:
        """Return when the invitation expires."""
        return format_datetime(row.expires_at)

    @admin.display(description="used", ordering="used_at", empty_value="not yet")
    def use_time(self, row: Invitation) -> str | None:
        """Return when the invitation was used."""
        return format_datetime(row.used_at) if row.used_at else None

    @admin.display(description="used by", empty_value="nobody")
    def used_by_name(self, row: Invitation) -> str | None:
        """Return the name of the person who registered with the invitation."""
        if row.used_at is not None and row.used_by is None:
            return "someone whose diary was deleted"
        return row.used_by.name if row.used_by else None

    @admin.action(description="Withdraw selected invitations")
    def withdraw(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        """Delete the selected invitations that are open; used ones stay in the list."""
        withdrawn = sum(invitations.withdraw_invitation(row) for row in rows)
        sentence = f"{pluralize(withdrawn, 'invitation was', 'invitations were')} withdrawn."
        self.message_user(request, sentence, messages.SUCCESS)
