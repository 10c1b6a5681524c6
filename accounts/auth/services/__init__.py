"""Services of authentication.

login                  open a key slot and start a session
registration           create a person with a vault
first_run              the link for the first person, who becomes the administrator
invitations            links for everybody else
recovery               replace both key slots by the recovery code
recovery_confirmation  the recovery code on its page until it was confirmed
reauth                 the current password again
"""
