"""The request as our views know it."""

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from accounts.models import Person
from accounts.vault import RequestVault


class HouseholdRequest(HttpRequest):
    """A request that passed the vault middleware; `user` is a Person where a gate asked for one."""

    user: Person
    vault: RequestVault
    htmx: HtmxDetails
