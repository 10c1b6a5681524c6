"""The systemd user unit that runs the server while the machine is on.

    manage.py up --print-unit > ~/.config/systemd/user/llamora.service

A user unit needs no root, and its $XDG_RUNTIME_DIR is a memory file system, which the run secret needs. The
sandboxing options are those that systemd can apply without root: system call filters, but no private view of
the file system. Memory that is both writable and executable is allowed, because model libraries may compile
code.
"""

import sys
from pathlib import Path

_UNIT = """\
# Save this as ~/.config/systemd/user/llamora.service, then:
#   systemctl --user daemon-reload && systemctl --user enable --now llamora
#   loginctl enable-linger    to keep it running while nobody is logged in
[Unit]
Description=Llamora, the diary of this household
After=network.target

[Service]
WorkingDirectory={folder}
Environment={data_dir}
ExecStart={command}
Restart=on-failure
RestartSec=5
TimeoutStopSec=15
UMask=0077
LimitCORE=0
NoNewPrivileges=yes
RestrictSUIDSGID=yes
RestrictRealtime=yes
RestrictNamespaces=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM

[Install]
WantedBy=default.target
"""


def render_unit(*, folder: Path, data_dir: Path, arguments: list[str]) -> str:
    """Return the text of the unit, without secret settings, which belong in `.env`."""
    command = [sys.executable, str(folder / "manage.py"), "up", *arguments]
    return _UNIT.format(
        folder=_escape(str(folder)),
        data_dir=_quote(f"LLAMORA_DATA_DIR={data_dir}"),
        command=" ".join(_quote(word).replace("$", "$$") for word in command),
    )


def _escape(word: str) -> str:
    """Return a word with systemd's specifiers escaped (systemd.unit(5))."""
    return word.replace("%", "%%")


def _quote(word: str) -> str:
    """Return a string quoted as one word (systemd.syntax(7))."""
    escaped = _escape(word).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
