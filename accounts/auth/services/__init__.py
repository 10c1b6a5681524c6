"""Services of authentication.

login                  open a key slot and start a session
registration           create a person with a vault
first_run              the link with which the first person registers and becomes the administrator
invitations            the links with which all other people register
recovery               replace both key slots with a recovery code
recovery_confirmation  a new recovery code, until the person has confirmed it
reauth                 check the current password again
"""
