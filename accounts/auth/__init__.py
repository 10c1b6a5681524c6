"""Authentication: sign-in, unlock, registration, recovery and re-authentication.

forms      the forms of all these pages
passwords  rules for new passwords
services   sign-in and unlock, registration, invitations, recovery, re-authentication
views      the pages
"""
