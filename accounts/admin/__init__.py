"""The admin site, on which administrators see accounts, dates, counts and sizes, but no diary text or keys.

site         the admin site and the base class of its pages
people       people of the household
browsers     signed-in browsers
invitations  links for new people
"""

from accounts.admin.browsers import SignInAdmin
from accounts.admin.invitations import InvitationAdmin
from accounts.admin.people import PersonAdmin

__all__ = ["InvitationAdmin", "PersonAdmin", "SignInAdmin"]
