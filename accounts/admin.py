"""The household as its keeper sees it: states, dates, counts and sizes; never content or bytes of a key."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.formats import date_format

from accounts import holdings, invitations, rotation, sessions
from accounts.admin_site import IdsOnlyAdmin, site
from accounts.models import Invitation, Person, SignIn
from accounts.services.leaving import remove


@admin.register(Person, site=site)
class PersonAdmin(IdsOnlyAdmin):
    """Who is in the household. People come by registering; a row made here would have no vault."""

    fields = (
        "name",
        "is_staff",
        "is_active",
        "created_at",
        "time_zone",
        "vault_epoch",
        "rotation",
        "ways_in",
        "signed_in",
        "last_seen",
        "holdings",
        "size",
    )
    readonly_fields = tuple(name for name in fields if name not in ("is_staff", "is_active"))
    list_display = ("name", "is_staff", "is_active", "created_at", "vault_epoch", "ways_in", "signed_in")
    ordering = ("created_at",)
    actions = ("end_sessions",)

    def has_change_permission(self, *_: Any, **__: Any) -> bool:
        """Let the keeper switch people on and off."""
        return True

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let the keeper delete one person at a time, and not themselves: that is done under Settings."""
        return obj is not None and obj.pk != request.user.pk

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Say how much goes; ids of every row would tell nobody anything."""
        del request
        held = [holding for person in objs for holding in holdings.of(person.pk)]
        return [], [(holding.words, f"{holding.rows:,}") for holding in held], set(), []

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Show what goes, and how its owner takes it along first."""
        person = self.get_object(request, object_id)
        context = {"export_command": holdings.export_command(person) if person else ""}
        return super().delete_view(request, object_id, {**(extra_context or {}), **context})

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Delete a person with everything of theirs."""
        del request
        remove(obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Keep a keeper from shutting themselves out."""
        own = ("is_staff", "is_active") if obj is not None and obj.pk == request.user.pk else ()
        return (*self.readonly_fields, *own)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return people with their counts."""
        people: QuerySet[Any] = super().get_queryset(request).select_related("vault")
        counts = {
            "slot_count": Count("slots", distinct=True),
            "sign_in_count": Count("sign_ins", distinct=True),
        }
        counted: QuerySet[Any] = people.annotate(**counts)
        return counted

    @admin.display(description="epoch of the vault", empty_value="no vault")
    def vault_epoch(self, person: Person) -> int | None:
        """Return the current epoch."""
        vault = getattr(person, "vault", None)
        return vault.epoch if vault else None

    @admin.display(description="ways in")
    def ways_in(self, person: Any) -> int:
        """Return how many key slots there are."""
        return int(person.slot_count)

    @admin.display(description="signed in")
    def signed_in(self, person: Any) -> int:
        """Return how many browsers are signed in."""
        return int(person.sign_in_count)

    @admin.display(description="last seen")
    def last_seen(self, person: Person) -> str:
        """Return when a browser of theirs was last in use."""
        latest = person.sign_ins.order_by("-last_active").values_list("last_active", flat=True).first()
        return date_format(latest, "DATETIME_FORMAT") if latest else "signed in nowhere"

    @admin.display(description="new key under way")
    def rotation(self, person: Person) -> str:
        """Return how far an unfinished rotation has come."""
        standing = rotation.standing(person.id)
        return f"{standing.rows_left:,} rows to go" if standing else "no"

    @admin.display(description="has written")
    def holdings(self, person: Person) -> str:
        """Return how many rows of each kind there are."""
        return ", ".join(str(holding) for holding in holdings.of(person.id)) or "nothing"

    @admin.display(description="sealed bytes")
    def size(self, person: Person) -> str:
        """Return how much room it takes, sealed."""
        return filesizeformat(holdings.size_of(person.id))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Write the two switches and nothing else; whoever is switched off is signed out."""
        del request, form, change
        obj.save(update_fields=["is_staff", "is_active"])
        if not obj.is_active:
            sessions.end_all(person_id=obj.id)

    @admin.action(description="End all sessions of these people")
    def end_sessions(self, request: HttpRequest, people: QuerySet[Any]) -> None:
        """Sign people out everywhere."""
        ended = sum(sessions.end_all(person_id=person.id) for person in people)
        self.message_user(request, f"Ended sessions: {ended}.", messages.SUCCESS)


@admin.register(SignIn, site=site)
class SignInAdmin(IdsOnlyAdmin):
    """Browsers that are signed in."""

    fields = ("person_name", "device", "created_at", "last_active", "kept", "is_unlocked")
    readonly_fields = fields
    list_display = ("id", "person_name", "device", "created_at", "last_active", "kept", "is_unlocked")
    list_select_related = ("person", "unlock")
    ordering = ("-last_active",)
    actions = ("end_sessions",)

    def has_view_permission(self, *_: Any, **__: Any) -> bool:
        """Let the keeper look."""
        return True

    @admin.display(description="person")
    def person_name(self, row: SignIn) -> str:
        """Return whose browser it is."""
        return row.person.name

    @admin.display(description="unlocked", boolean=True)
    def is_unlocked(self, row: SignIn) -> bool:
        """Return whether the vault is unlocked there."""
        return getattr(row, "unlock", None) is not None

    @admin.action(description="End these sessions")
    def end_sessions(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        """Sign these browsers out."""
        chosen = list(rows)
        for row in chosen:
            sessions.end(sign_in_id=row.id, person_id=row.person_id)
        self.message_user(request, f"Ended sessions: {len(chosen)}.", messages.SUCCESS)


@admin.register(Invitation, site=site)
class InvitationAdmin(IdsOnlyAdmin):
    """Links that let somebody in. Each is shown once, when it is made; only its hash is kept."""

    fields = ("created_at", "expires_at", "made_by_name", "state", "used_at", "used_by_name")
    readonly_fields = fields
    list_display = ("id", "created_at", "expires_at", "made_by_name", "state", "used_by_name")
    list_select_related = ("made_by", "used_by")
    ordering = ("-created_at",)
    actions = ("withdraw",)

    def has_view_permission(self, *_: Any, **__: Any) -> bool:
        """Let the keeper look."""
        return True

    def has_add_permission(self, *_: Any, **__: Any) -> bool:
        """Let the keeper invite."""
        return True

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Make a link when asked to, and show it in this very answer."""
        del form_url, extra_context
        context = {**self.admin_site.each_context(request), "title": "Invite somebody"}
        if request.method == "POST":
            made, token = invitations.make(by=request.user if isinstance(request.user, Person) else None)
            context |= {"link": request.build_absolute_uri(invitations.path(token)), "invitation": made}
        return render(request, "admin/accounts/invitation/invite.html", context)

    @admin.display(description="made by", empty_value="the terminal")
    def made_by_name(self, row: Invitation) -> str | None:
        """Return who made it."""
        return row.made_by.name if row.made_by else None

    @admin.display(description="used by", empty_value="nobody")
    def used_by_name(self, row: Invitation) -> str | None:
        """Return who came by it."""
        return row.used_by.name if row.used_by else None

    @admin.display(description="state")
    def state(self, row: Invitation) -> str:
        """Return what the link is good for now."""
        if row.used_at is not None:
            return "used"
        return "past its time" if row.expires_at <= timezone.now() else "open"

    @admin.action(description="Withdraw these invitations")
    def withdraw(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        """Make links worthless; what was used stays in the list."""
        withdrawn = sum(invitations.withdraw(row) for row in rows)
        self.message_user(request, f"Withdrawn: {withdrawn}.", messages.SUCCESS)
