"""Access tokens: keys that a person creates for programs, each for some parts of their diary.

services      create, list, confirm and revoke
verification  the check of a token that a program presents
request_headers   reads the token from the headers of a request
open_keyrings keyrings of unlocked people, for tokens that work only then
recent_checks cache of checks
call_limits   rate limits of calls
idempotency   idempotency keys, so that a repeated call stores nothing twice
token_uses    last use of each token, and numbers of entries read
"""
