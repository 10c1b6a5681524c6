"""Access tokens: keys that a person makes for programs, each for some parts of their diary.

services      make, list, confirm and revoke
verification  the check of a token that a program presents
open_keyrings keyrings of people with an unlocked browser, for tokens that work only then
call_limits   how often a program may call
token_uses    when each token was last used, and how much it read
"""
