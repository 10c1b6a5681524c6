"""What can be done with accounts; each writes more than one row, a key, or both.

enrolment    a person, their vault and their two slots
entering     signing in, unlocking
recovering   a new password and a new code for an old code
securing     a new password, a new code, a new data key, once the password was given again
leaving      the end of an account
choosing     what a person has chosen: time zone, theme, first day of the week, name shown
"""

from accounts.services.choosing import Choices, change_settings
from accounts.services.enrolment import Enrolled, enrol, join
from accounts.services.entering import sign_in, unlock
from accounts.services.recovering import recover

__all__ = [
    "Choices",
    "Enrolled",
    "change_settings",
    "enrol",
    "join",
    "recover",
    "sign_in",
    "unlock",
]
