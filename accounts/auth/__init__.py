"""Authentication: a person proves who they are, and their browser gets a session.

forms      the forms of all these pages
passwords  the strength of a new password
services   sign-in and unlock, registration, invitations, recovery, re-authentication
views      the pages
"""
