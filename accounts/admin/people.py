"""The admin page of people: activate, deactivate, sign out and delete a person."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, Max, Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.defaultfilters import filesizeformat

from accounts.admin.site import HouseholdModelAdmin, format_datetime, site
from accounts.models import KeySlot, Person
from accounts.rotation import services as rotation_services
from accounts.security import data_inventory
from accounts.security.deletion import delete_person
from accounts.sessions import services as sessions_services
from llamora.pluralize import pluralize

_LABELS = {"is_staff": "Administrator", "is_active": "Can sign in"}
_HELP = {
    "is_staff": "Can use these pages: who has a diary here, never what anyone writes.",
    "is_active": "If turned off, this person can't sign in. Their diary is not deleted.",
}


@admin.register(Person, site=site)
class PersonAdmin(HouseholdModelAdmin):
    """The admin page of people. It creates nobody, because only registration can create a vault."""

    fields = (
        "name",
        "is_staff",
        "is_active",
        "since",
        "time_zone",
        "vault_epoch",
        "rotation",
        "key_slots",
        "access_tokens",
        "browser_count",
        "last_seen",
        "inventory",
        "size",
    )
    readonly_fields = tuple(name for name in fields if name not in ("is_staff", "is_active"))
    list_display = ("name", "role", "since", "last_seen", "browser_count", "key_slots")
    ordering = ("created_at",)
    actions = ("end_sessions",)

    def get_row_title(self, row: Any) -> str:
        """Return the person's name."""
        return str(row.name)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Return the form with our own labels and help texts for `is_staff` and `is_active`."""
        return super().get_form(request, obj, change, labels=_LABELS, help_texts=_HELP, **kwargs)

    def has_change_permission(self, *_: Any, **__: Any) -> bool:
        """Return True: an administrator may activate and deactivate people."""
        return True

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether the signed-in administrator may delete this person; nobody can delete themselves.

        Several people cannot be deleted at once: on the list of people `obj` is None, and the result is
        False.
        """
        return obj is not None and obj.pk != request.user.pk

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Return how many rows of each kind will be deleted, instead of Django's list of all their ids."""
        del request
        rows = [row for person in objs for row in data_inventory.get_inventory(person.pk)]
        return [], [(row.label, f"{row.rows:,}") for row in rows], set(), []

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Show the data that will be deleted, and the command that exports the diary first."""
        person = self.get_object(request, object_id)
        context = {"export_command": data_inventory.build_export_command(person) if person else ""}
        return super().delete_view(request, object_id, {**(extra_context or {}), **context})

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Delete a person and all their data."""
        del request
        delete_person(obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Return the read-only fields; administrators cannot remove their own rights."""
        own = ("is_staff", "is_active") if obj is not None and obj.pk == request.user.pk else ()
        return (*self.readonly_fields, *own)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return people with their vaults, kinds of key slots, numbers of sign-ins and last activity.

        Of the key slots, only owners and kinds are read, no keys.
        """
        people: QuerySet[Any] = super().get_queryset(request).select_related("vault")
        slots = KeySlot.objects.only("owner_id", "kind").order_by("kind")
        with_counts: QuerySet[Any] = people.prefetch_related(Prefetch("slots", queryset=slots)).annotate(
            sign_in_count=Count("sign_ins"), seen_at=Max("sign_ins__last_active")
        )
        return with_counts

    @admin.display(description="role", ordering="is_staff")
    def role(self, person: Person) -> str:
        """Return the person's role in the household."""
        role = "administrator" if person.is_staff else "member"
        return role if person.is_active else f"{role}, turned off"

    @admin.display(description="since", ordering="created_at")
    def since(self, person: Person) -> str:
        """Return when the person registered."""
        return format_datetime(person.created_at)

    @admin.display(description="version of the key", empty_value="none")
    def vault_epoch(self, person: Person) -> int | None:
        """Return the epoch of the person's vault, which is the number of their data key."""
        vault = getattr(person, "vault", None)
        return vault.epoch if vault else None

    @admin.display(description="ways to unlock", empty_value="none")
    def key_slots(self, person: Any) -> str | None:
        """Return the kinds of the person's key slots."""
        return ", ".join(slot.get_kind_display().lower() for slot in person.slots.all()) or None

    @admin.display(description="access tokens")
    def access_tokens(self, person: Person) -> str:
        """Return how many access tokens the person has, and when one of them was last used."""
        found = person.access_tokens.aggregate(count=Count("id"), used_at=Max("last_used_at"))
        if not found["count"]:
            return "none"
        used = f"last used {format_datetime(found['used_at'])}" if found["used_at"] else "never used"
        return f"{found['count']}, {used}"

    @admin.display(description="signed in", ordering="sign_in_count")
    def browser_count(self, person: Any) -> str:
        """Return in how many browsers the person is signed in."""
        count = int(person.sign_in_count)
        return f"in {pluralize(count, 'browser', 'browsers')}" if count else "not signed in"

    @admin.display(description="last seen", ordering="seen_at", empty_value="not signed in")
    def last_seen(self, person: Any) -> str | None:
        """Return when any browser of this person was last active."""
        return format_datetime(person.seen_at) if person.seen_at else None

    @admin.display(description="key change in progress")
    def rotation(self, person: Person) -> str:
        """Return the progress of the person's unfinished rotation."""
        progress = rotation_services.get_rotation_progress(person.id)
        return f"{progress.rows_left:,} items to go" if progress else "no"

    @admin.display(description="contents")
    def inventory(self, person: Person) -> str:
        """Return how many rows of each kind the person has."""
        return ", ".join(str(row) for row in data_inventory.get_inventory(person.id)) or "nothing"

    @admin.display(description="encrypted size")
    def size(self, person: Person) -> str:
        """Return the size of the person's sealed data."""
        return filesizeformat(data_inventory.get_sealed_size(person.id))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save `is_staff` and `is_active` and nothing else; end the sessions of a deactivated person."""
        del request, form, change
        obj.save(update_fields=["is_staff", "is_active"])
        if not obj.is_active:
            sessions_services.end_sessions(person_id=obj.id)

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: Any) -> HttpResponse:
        """Report the deletion in a message that contains no id."""
        del obj_display, obj_id
        self.message_user(request, "The diary is deleted.", messages.SUCCESS)
        return redirect("admin:accounts_person_changelist")

    @admin.action(description="Sign out selected people everywhere")
    def end_sessions(self, request: HttpRequest, people: QuerySet[Any]) -> None:
        """Sign the selected people out of all browsers."""
        ended = sum(sessions_services.end_sessions(person_id=person.id) for person in people)
        sentence = f"{pluralize(ended, 'browser was', 'browsers were')} signed out."
        self.message_user(request, sentence, messages.SUCCESS)
