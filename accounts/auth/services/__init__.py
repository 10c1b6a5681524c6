"""Service functions behind the pages of sign-in, registration, recovery and re-authentication.

login                  open a key slot and start a session
registration           create a person with a vault
first_run              the set-up link, with which the first person registers as administrator
invitations            the links with which all other people register
recovery               replace both key slots by means of a recovery code
recovery_confirmation  keep a new recovery code until the person has confirmed it
reauth                 re-authentication with the current password
"""
