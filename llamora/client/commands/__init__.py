"""The command line of the client, `python -m llamora.client`.

arguments       commands and options
runner          runs a command, and turns errors into sentences and exit codes
console         what is printed: data on stdout, words on stderr
configuration   the file client.toml, and `config`
token_sources   where the access token comes from
reading         `status`, `days`, `day`, `search`, `traces`, `export`
writing         `write`, and what becomes of a text that could not be sent
conversation    `ask` and `chat`
memories        `facts`, `memory`, `heartbeat`
mcp_bridge      `mcp`
"""
