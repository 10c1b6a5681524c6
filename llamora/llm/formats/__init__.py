"""Wire formats: how each kind of server is asked for a reply, and how it sends one.

wire_format       what every format has, and the name by which settings choose one
payloads          the base of the readers of events, and the errors that events report
chat_completions  OpenAI's format, which nearly every server has: `/v1/chat/completions`
anthropic         Anthropic Messages: `/v1/messages`
ollama            Ollama's own format: `/api/chat`
json_lines        splits a body of JSON lines, for Ollama
registry          the formats by name, and which sampling parameters one does not support
"""
