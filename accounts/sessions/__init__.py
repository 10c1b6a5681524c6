"""Sessions: signed-in browsers (SignIn rows) and their unlocked vaults (Unlock rows).

services         create, load, lock and end sessions
views            the page of signed-in browsers
cookies          the session cookie and the messages cookie
limits           time limits of sign-ins and of idle vaults
registry         the sessions that this process unlocked, with the key id of each
latest_key_cookie  the latest data key that a browser has seen, which shows if a diary was rolled back
run_secret       the part of every session's key that is only in memory
revocation_list  sessions that ended although their rows could not be deleted
sign_in_marks    what a sign-in is registered as, beside the database
unlock_register  the unlocked browsers, in memory; a row that is not in it opens nothing
scope            browsers of requests before they are handled, and sessions of WebSockets
user_events      events for a person's open tabs
user_agent       short descriptions of browsers
"""
