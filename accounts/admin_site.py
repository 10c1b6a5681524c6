"""The keeper's admin: who is in the household, never what they write.

It has no sign-in of its own. Whoever is signed out or locked goes to the household's own door; whoever is
not the keeper finds nothing here, as if there were no such page.
"""

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.admin import AdminSite, ModelAdmin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from accounts import return_address
from accounts.vault import NOBODY, RequestVault
from llamora.database import shelf

if TYPE_CHECKING:
    _Admin = ModelAdmin[Any]
else:
    _Admin = ModelAdmin


class HouseholdAdmin(AdminSite):
    """An admin for an unlocked keeper."""

    site_header = "The household"
    site_title = "Llamora"
    index_title = "The household"
    index_template = "admin/household.html"
    site_url = "/"
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        """Let in a keeper whose vault is unlocked; for anybody else signed in, there is nothing here."""
        vault: RequestVault = getattr(request, "vault", NOBODY)
        if vault.person is not None and not vault.person.is_staff:
            raise Http404
        return vault.is_unlocked

    def index(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Show the sections, and beside them how the backups stand."""
        return super().index(request, {**(extra_context or {}), **_backups()})

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Send on to the household's own door; this one takes no password."""
        del extra_context
        following = return_address.asked(request)
        vault: RequestVault = getattr(request, "vault", NOBODY)
        if self.has_permission(request):
            return redirect("admin:index" if following == return_address.HOME else following)
        door = "sign_in" if vault.person is None else "unlock"
        return redirect(f"{reverse(door)}?{urlencode({'next': following})}")

    def logout(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Sign out as every page does."""
        from accounts.views.door import sign_out  # noqa: PLC0415 - views stand above this

        del extra_context
        return sign_out(request)  # type: ignore[arg-type]  # passed the vault middleware

    def get_urls(self) -> list[Any]:
        """Return the admin's paths without those for passwords: one set here would belong to no vault."""
        return [url for url in super().get_urls() if "password" not in str(url.pattern)]


def _backups() -> dict[str, Any]:
    kept = shelf.backups(settings.BACKUP_DIR)
    newest = kept[-1] if kept else None
    return {
        "kept": kept,
        "newest": newest,
        "size": sum(each.path.stat().st_size for each in kept),
        "is_old": newest is not None and timezone.now() - newest.made_at > shelf.FRESH,
        "is_daily": settings.BACKUP_DAILY,
        "days": settings.BACKUP_KEEP_DAYS,
        "weeks": settings.BACKUP_KEEP_WEEKS,
    }


class IdsOnlyAdmin(_Admin):
    """Shows and changes nothing unless a subclass says so; it logs ids, as models print themselves."""

    def has_add_permission(self, *_: Any, **__: Any) -> bool:
        """Refuse: rows are made by those they belong to."""
        return False

    def has_change_permission(self, *_: Any, **__: Any) -> bool:
        """Refuse unless a subclass lets a field be changed."""
        return False

    def has_delete_permission(self, *_: Any, **__: Any) -> bool:
        """Refuse: nothing of anybody's goes by the keeper's hand."""
        return False


site = HouseholdAdmin(name="admin")
