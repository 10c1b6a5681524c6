"""The command line of the client, `python -m llamora.client`.

arguments       commands and options
runner          runs a command; converts errors to sentences and exit codes
console         output: data on stdout, messages on stderr
configuration   the file client.toml, and `config`
token_sources   reads the access token from a descriptor, a file or a prompt
reading         `status`, `days`, `day`, `search`, `traces`, `export`
writing         `write`, and the file of a text that could not be sent
conversation    `ask` and `chat`
memories        `facts`, `memory`, `heartbeat`
notes           `notes`
mcp_bridge      `mcp`
"""
