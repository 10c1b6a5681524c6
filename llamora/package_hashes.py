"""Hashes of the installed packages, compared with committed hashes before any package is imported.

    uv.lock             created on this machine from its package index; uv verifies downloads with it
    .requirements.lock  committed: name, version and hashes of every package that the project was tested with

A compromised index can offer another file under the same name and version, with a matching hash, and uv
accepts it. So both lock files are compared here. Only wheels are considered, because `no-build` in
`pyproject.toml` excludes everything else. Every wheel in `uv.lock` that this Python could have installed must
have a committed hash, so that a better matching wheel that was added later is refused, too.

Not detected are changes to files after installation, and a `.pth` file of a package, which Python runs at
each start before this module. `README.md`, "Packages", describes strict installation, which refuses other
hashes. This module imports only the standard library.
"""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

COMMITTED, LOCAL = ".requirements.lock", "uv.lock"
Package = tuple[str, str]
_LOCKED = re.compile(r'name = "(.+)"\nversion = "(.+)"\n')
_WHEEL = re.compile(r'[/"]([^/"]+)\.whl"(?:, hash = "([^"]+)")?')


class UnknownPackageError(Exception):
    """Raised if a package was installed from a file without a committed hash."""


def verify_installed_packages(folder: Path) -> None:
    """Raise UnknownPackageError for a wheel without a committed hash; accept a missing `uv.lock`."""
    locked = read_locked_packages(folder)
    if not locked:
        return
    committed = _read_committed_hashes(folder)
    for package in list_installed_packages():
        if package in locked and not _is_known(locked[package], hashes=committed.get(package, "")):
            raise UnknownPackageError(
                f"{' '.join(package)} came as a file whose hash is not in {COMMITTED}: delete the folder "
                f".venv and the file {LOCAL} and start again, with another package index if this comes back; "
                "if you changed versions yourself, run .ci/pin."
            )


def find_unlisted_packages(folder: Path) -> list[str]:
    """Return the installed packages whose version is not listed in `uv.lock`."""
    locked = read_locked_packages(folder)
    return [" ".join(package) for package in list_installed_packages() if package not in locked]


def list_installed_packages() -> Iterator[Package]:
    """Yield normalised name and version of each installed package."""
    for place in sys.path:
        if place.endswith("-packages") and os.path.isdir(place):
            for entry in sorted(os.listdir(place)):
                if entry.endswith(".dist-info"):
                    name, _, version = entry.removesuffix(".dist-info").rpartition("-")
                    yield re.sub(r"[-_.]+", "-", name).lower(), version


def read_locked_packages(folder: Path) -> dict[Package, str]:
    """Return the packages of `uv.lock`, or none without that file."""
    blocks = _read(folder / LOCAL).split("\n[[package]]\n")[1:]
    return {(match[1], match[2]): block for block in blocks if (match := _LOCKED.match(block))}


def _read_committed_hashes(folder: Path) -> dict[Package, str]:
    """Return the committed hashes of each package, as they are written."""
    found = {}
    for block in _read(folder / COMMITTED).replace(" \\\n ", " ").splitlines():
        package, _, hashes = block.partition(" ")
        name, _, version = package.partition("==")
        found[name, version] = hashes
    return found


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""


def _is_known(block: str, *, hashes: str) -> bool:
    """Return whether a package has a wheel with a committed hash, and none without one fits this machine."""
    known = set(hashes.replace("--hash=", "").split())
    wheels = _WHEEL.findall(block)
    unknown = [name for name, hashed in wheels if hashed not in known]
    return len(unknown) < len(wheels) and not any(_may_be_installed(name) for name in unknown)


def _may_be_installed(wheel: str) -> bool:
    """Return whether a wheel may fit this Python and machine, by its name (PEP 425); in doubt, True."""
    pythons, abi, platforms = wheel.split("-")[-3:]
    minor = sys.version_info.minor
    fits_python = any(
        tag in {"py3", f"py3{minor}", f"cp3{minor}"}
        or ("abi3" in abi and tag[:3] == "cp3" and tag[3:].isdigit() and int(tag[3:]) <= minor)
        for tag in pythons.split(".")
    )
    endings = ("any", os.uname().machine, "universal2")
    system = {"linux": "linux", "darwin": "macosx"}.get(sys.platform, "")
    return fits_python and any(
        tag == "any" or (system in tag and tag.endswith(endings)) for tag in platforms.split(".")
    )
