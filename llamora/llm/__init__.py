"""Client for any server with `/v1/chat/completions`; independent of Django and settings.

client          ModelServer: stream a reply, count tokens, probe
probe           kind and capabilities of a server
transport       HTTP/1.1 over asyncio for httpx, fast for many small events; framing: the end of a body
stream_parser   bytes to deltas, through sse, surrogates, think_filter and repetition
deltas          the types of a stream
tokens          an estimate for servers that cannot count tokens
errors          all errors of a model server, with codes
"""
