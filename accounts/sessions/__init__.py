"""Sessions: signed-in browsers (SignIn rows) and their unlocked vaults (Unlock rows).

services         create, load, lock and end sessions
views            the page of signed-in browsers
cookies          the session cookie and the messages cookie
limits           time limits of sign-ins and of idle vaults
registry         the sessions with a keyring in this process, with the key id of each
latest_key_cookie  cookie that detects a rollback of the database
run_secret       the part of every session key that exists only in memory
revocation_list  sessions that ended although their rows could not be deleted
sign_in_marks    marks of sign-ins in the register of credentials
unlock_register  register of unlocked browsers in memory; an Unlock row that is not in it is invalid
scope            sessions of ASGI scopes: early checks of requests, and WebSockets
user_events      events for a person's open tabs
user_agent       short descriptions of browsers
"""
