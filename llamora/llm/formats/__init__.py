"""Wire formats: how to request a reply from each kind of server, and how to parse the response.

wire_format       the interface of a format, and the names of formats in settings
payloads          the base class of event readers, and errors that events report
chat_completions  OpenAI's format, which nearly every server supports: `/v1/chat/completions`
anthropic         Anthropic Messages: `/v1/messages`
ollama            Ollama's own format: `/api/chat`
json_lines        splits a body of JSON lines, for Ollama
registry          the formats by name, and the sampling parameters that each does not support
"""
