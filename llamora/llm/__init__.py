"""Client for model servers of every wire format; it imports no Django and no settings.

client          ModelServer: stream a reply, count tokens, probe
probe           kind and capabilities of a server
transport       HTTP/1.1 over asyncio for httpx, fast for many small events
framing         finds the end of a response's body, for transport
content_coding  decodes a compressed body
stream_parser   turns bytes into deltas, with sse, surrogates and think_filter
thinking_marks  the marks that models write around their thinking, turns and channels, for think_filter
requests        what is asked of a server, and what it accepts
formats         the wire formats: how servers of each kind are asked, and what they send
repetition      detects that a model repeats itself
deltas          the types of a streamed reply
tokens          an estimate for servers that cannot count tokens
model_files     files of models: their headers, sizes, download
errors          all errors of a model server, with codes
"""
