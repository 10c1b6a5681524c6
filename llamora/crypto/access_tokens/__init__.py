"""Access tokens: keys for programs. Each is a key slot that opens some parts of a diary (realms), never all.

token_text   the text of a token, which its owner copies once
terms        the kind, scopes and other terms of a token
token_slots  key slots of tokens: create, open, check and renew; MACs of dropped texts
"""
