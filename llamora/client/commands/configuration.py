"""The file `client.toml`: the server's address and the path of the token file, but never the token itself.

    url = "https://diary.home"
    token_file = "/home/olive/.config/llamora/token"
    ca_file = "/home/olive/diary-ca.pem"
    allow_plain_http = false

Its folder is `$XDG_CONFIG_HOME/llamora/`, or else `~/.config/llamora/`.
"""

import getpass
import json
import os
import tomllib
from argparse import Namespace
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from llamora.client.addresses import parse_address, parse_token
from llamora.client.commands.arguments import get_program_name
from llamora.client.commands.console import Console, UsageRefused
from llamora.client.file_download import PartialFile

USUAL_URL = "http://127.0.0.1:8765"


@dataclass(frozen=True, kw_only=True)
class ClientConfig:
    """The values of `client.toml`; a value that is not set is empty."""

    url: str = ""
    token_file: str = ""
    ca_file: str = ""
    allow_plain_http: bool = False

    @classmethod
    def load(cls, path: Path) -> "ClientConfig":
        """Return the values of a file, or no values without a file; raise UsageRefused if it is invalid."""
        try:
            with path.open("rb") as file:
                values = tomllib.load(file)
        except FileNotFoundError:
            return cls()
        except OSError as error:
            raise UsageRefused(f"{path} can't be read: {error.strerror}.") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError):
            raise UsageRefused(
                f'{path} is not TOML. Each line must be like url = "https://diary.home".'
            ) from None
        known = {each.name: each.type for each in fields(cls)}
        for name, value in values.items():
            if name == "token":
                raise UsageRefused(
                    f"{path} holds a token. Put it into a file of its own, and name that as token_file."
                )
            if name not in known or not isinstance(value, bool if name == "allow_plain_http" else str):
                raise UsageRefused(
                    f"{path} may have {', '.join(known)} only, the last true or false, others in quotes."
                )
        return cls(**values)

    def save(self, path: Path) -> None:
        """Write the configuration to a file, atomically."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        # A string of JSON is one of TOML if it has no characters beyond ASCII but as escapes.
        lines = [f"{name} = {json.dumps(value)}\n" for name, value in values.items() if value]
        write_private(path, "".join(lines))


def get_config_path() -> Path:
    """Return the path of the client's configuration file, which need not exist."""
    return get_folder("XDG_CONFIG_HOME", ".config") / "client.toml"


def get_folder(variable: str, usual: str) -> Path:
    """Return the path of the folder `llamora` inside the folder that an environment variable names.

    `variable` is the name of the environment variable. If its value is no absolute path, `usual` is used
    instead, a path relative to the home folder.
    """
    named = os.environ.get(variable, "")
    return (Path(named) if os.path.isabs(named) else Path.home() / usual) / "llamora"


def write_private(path: Path, text: str) -> None:
    """Write a file with mode 0600 atomically; raise FileRefused."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with PartialFile(path, overwrite=True) as file:
        file.open()
        file.write(text.encode())
        file.complete()


def choose_config(arguments: Namespace) -> ClientConfig:
    """Return the configuration: options come first, then the environment, then the file."""
    found = ClientConfig.load(get_config_path())
    named: dict[str, Any] = {
        "url": getattr(arguments, "url", None) or os.environ.get("LLAMORA_URL") or found.url or USUAL_URL,
        "token_file": getattr(arguments, "token_file", None)
        or os.environ.get("LLAMORA_TOKEN_FILE")
        or found.token_file,
        "ca_file": getattr(arguments, "ca_file", None) or found.ca_file,
        "allow_plain_http": getattr(arguments, "allow_plain_http", False) or found.allow_plain_http,
    }
    return replace(found, **named)


def init_config(arguments: Namespace, console: Console) -> None:
    """Write `client.toml` and, if the person types a token, the token file."""
    path, chosen = get_config_path(), choose_config(arguments)
    token_file = chosen.token_file or str(path.with_name("token"))
    token = ""
    if console.is_interactive:
        chosen = replace(chosen, url=_ask("Address of the server", chosen.url))
        token_file = _ask("File of the access token", token_file)
        token = getpass.getpass("Access token, or nothing to leave that file as it is: ").strip()
    parse_address(chosen.url, allow_plain_http=chosen.allow_plain_http)
    if token:
        write_private(Path(token_file).expanduser(), parse_token(token) + "\n")
    replace(chosen, token_file=str(Path(token_file).expanduser().absolute())).save(path)
    console.say(f"Saved in {path}.")
    if not Path(token_file).expanduser().exists():
        console.say(f"Put an access token into {token_file}, and run: chmod 600 {token_file}")
    else:
        console.say(f"To see what this token can do: {get_program_name()} status")


def _ask(question: str, usual: str) -> str:
    return input(f"{question} [{usual}]: ").strip() or usual


def show_config(arguments: Namespace, console: Console) -> None:
    """Print the effective configuration, and whether there is a token."""
    chosen, path = choose_config(arguments), get_config_path()
    is_there = bool(chosen.token_file) and Path(chosen.token_file).is_file()
    shown = {
        "file": str(path) if path.exists() else None,
        "url": chosen.url,
        "token_file": chosen.token_file or None,
        "token": "set" if is_there else "missing",
        "ca_file": chosen.ca_file or None,
        "allow_plain_http": chosen.allow_plain_http,
    }
    if console.is_json:
        console.print_json(shown)
        return
    words = {None: "none", True: "true", False: "false"}
    for name, value in shown.items():
        console.print_text(f"{name:17} {value if isinstance(value, str) else words[value]}")
