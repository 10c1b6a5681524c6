"""Client for model servers of every wire format; it imports no Django and no settings.

client          ModelServer: streams replies, counts tokens
probe           detects the kind and capabilities of a server
transport       HTTP/1.1 over asyncio for httpx, fast for many small events
framing         finds the end of a response's body, for transport
content_coding  decodes a compressed body
stream_parser   turns bytes into deltas, with sse, surrogates and think_filter
thinking_marks  the markup that models write around thinking, turns and channels, for think_filter
requests        requests for replies, and the parts that a server refused
formats         the wire formats: requests and responses of each kind of server
repetition      detects repetition in a reply
deltas          the types of a streamed reply
tokens          an estimate for servers that cannot count tokens
model_files     model files: headers, sizes, download
errors          all errors of a model server, with codes
"""
