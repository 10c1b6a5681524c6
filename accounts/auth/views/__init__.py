"""Views of authentication, which need no unlocked diary.

login         sign-in, unlock, lock, sign-out
registration  registration of a new person, and the rating of a password
recovery      recovery of an account, and the page that shows a recovery code once
reauth        re-authentication before keys or the account change
"""
