"""The household as its keeper sees it: states, dates, counts and sizes; never content or bytes of a key."""

from accounts.admin.browsers import SignInAdmin
from accounts.admin.invitations import InvitationAdmin
from accounts.admin.people import PersonAdmin

__all__ = ["InvitationAdmin", "PersonAdmin", "SignInAdmin"]
