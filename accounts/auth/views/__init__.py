"""Views of authentication, before the diary is open.

login         sign-in, unlock, lock, sign-out
registration  a new person, and the strength of a password
recovery      a forgotten password, and the page that shows a recovery code once
reauth        the current password again, before keys or the account are changed
"""
