"""Client for any server that offers `/v1/chat/completions`; knows no Django and no settings.

client          ModelServer: stream a reply, count tokens, probe
probe           kind and capabilities of a server
transport       HTTP/1.1 over asyncio for httpx, fast for many small events; framing: the end of a body
stream_parser   bytes to deltas, through sse, surrogates, think_filter and repetition
deltas          the types of a stream
tokens          an estimate for servers that cannot count
errors          all errors of a model server, with codes
"""
