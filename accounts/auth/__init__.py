"""Authentication: how a person proves who they are and a browser gets a session.

forms      the forms of every page here
passwords  the strength of a new password
services   sign-in and unlock, registration, invitations, recovery, re-authentication
views      their pages
"""
