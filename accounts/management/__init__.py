"""Parts that the management commands of accounts share.

secret_prompt        the password or recovery code, from the terminal or a file
server_address       the URL of the running server, for invitations
verification_report  the output of commands that open every row
"""
