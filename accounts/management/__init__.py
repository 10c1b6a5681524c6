"""Code that the management commands of accounts share.

secret_prompt        reads a password or recovery code from the terminal or a file
server_address       the file with the URL of the running server, for invitations
verification_report  the messages of commands that decrypt all values of a person
"""
