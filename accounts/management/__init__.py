"""Code that the management commands of accounts share.

secret_prompt        reads a password or recovery code from the terminal or a file
server_address       the file with the URL of the running server, for invitations
verification_report  the output of commands that open every row
"""
