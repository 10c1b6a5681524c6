"""Speaks to any server that offers `/v1/chat/completions`. Knows no Django and no settings.

client      ModelServer: stream a reply, count tokens, probe
probe       what a server is and offers (Offer)
transport   HTTP/1.1 over asyncio, for httpx, quick enough for many small events; framing
reading     bytes to deltas, through: sse, characters, markup, repetition
tokens      an estimate for servers that cannot count
errors      everything that can go wrong, with codes
"""
