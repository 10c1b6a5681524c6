"""Access tokens: keys for programs, each a key slot that opens some realms and never a whole diary.

token_text   the text of a token, which is shown once
terms        kinds and scopes of tokens, and what else their owner decided when making one
token_slots  slots of tokens: create, open, check and renew; MACs of texts that a program drops
"""
