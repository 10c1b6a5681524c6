"""Views of authentication, for everything before the diary is unlocked.

login         sign-in, unlock, lock, sign-out
registration  registration of a new person, and the strength of a password
recovery      recovery of an account, and the page that shows a recovery code once
reauth        the current password, typed again before keys or the account change
"""
