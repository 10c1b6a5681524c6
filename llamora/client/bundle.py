"""The client as one zip file for other machines, which Python can import from and run.

    python client.zip status                                          runs the command line
    sys.path.insert(0, "client.zip"); from llamora.client import ...  imports the library

The zip is reproducible: names are sorted, all files have the same date, and nothing is compressed.
"""

import io
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
# The earliest that a zip can say.
_DATE = (1980, 1, 1, 0, 0, 0)
# Read by whatever Python somebody has: an old one, or one without httpx, must be able to say so.
_MAIN = """\
import sys

if sys.version_info < (3, 11):
    sys.exit("This program needs Python 3.11 or a later one.")
try:
    import httpx  # noqa: F401
except ModuleNotFoundError:
    sys.exit("This program needs the package httpx. Run: " + sys.executable + " -m pip install httpx")

from llamora.client.commands.runner import run

if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
"""


@cache
def build_zip() -> bytes:
    """Return the client as the bytes of a zip file.

    >>> zipfile.ZipFile(io.BytesIO(build_zip())).namelist()[:3]
    ['LICENSE', '__main__.py', 'llamora/__init__.py']
    """
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as file:
        for name, content in sorted(_list_files()):
            info = zipfile.ZipInfo(name, _DATE)
            info.external_attr = 0o644 << 16
            info.create_system = 3
            file.writestr(info, content)
    return written.getvalue()


def _list_files() -> Iterator[tuple[str, bytes]]:
    yield "__main__.py", _MAIN.encode()
    yield "llamora/__init__.py", b""
    license_file = _ROOT / "LICENSE"
    if license_file.is_file():
        yield license_file.name, license_file.read_bytes()
    folder = Path(__file__).resolve().parent
    for path in folder.rglob("*.py"):
        yield path.relative_to(_ROOT).as_posix(), path.read_bytes()
