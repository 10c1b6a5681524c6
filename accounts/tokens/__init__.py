"""Access tokens: keys that a person makes for programs, each for some parts of their diary.

services      make, list, confirm and revoke
verification  the check of a token that a program presents
request_headers   where a request has its token
open_keyrings keyrings of people with an unlocked browser, for tokens that work only then
recent_checks checks that are not made in full again
call_limits   how often a program may call
idempotency   what programs stored, so that a repeated call stores nothing twice
token_uses    when each token was last used, and how much it read
"""
