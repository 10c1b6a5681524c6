"""A data folder with its tables and static files made: most tests start a server in a copy of it.

Making both takes a first start two seconds of the processor, and a run starts some hundred servers. Nothing
of a household is in it: no secret, no person, no set-up link. Whoever needs it first in a run makes it.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAME = "LLAMORA_TEST_MADE_READY"
_MAKE = (
    "import os; os.umask(0o077); import django; django.setup();"
    "from llamora.ops import startup; startup.migrate(); startup.collect_static()"
)


def offer() -> Path | None:
    """Choose where it will be, for this process and all it starts; answer it to the first who asks."""
    if NAME in os.environ:
        return None
    folder = Path(tempfile.mkdtemp(prefix="llamora-made-"))
    os.environ[NAME] = str(folder)
    return folder


def copy_to(data: Path) -> None:
    """Fill an empty data folder; does nothing to one that holds something, or where none was offered."""
    offered = os.environ.get(NAME)
    if offered and not any(data.iterdir()):
        shutil.copytree(_made(Path(offered)), data, dirs_exist_ok=True)


def _made(folder: Path) -> Path:
    ready = folder / "ready"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.is_dir():
            under_way = folder / "data"
            under_way.mkdir(mode=0o700)
            (folder / "run").mkdir(mode=0o700)
            kept = {name: value for name, value in os.environ.items() if not name.startswith("LLAMORA_")}
            own = {"LLAMORA_DATA_DIR": str(under_way), "LLAMORA_RUNTIME_DIR": str(folder / "run")}
            environment = kept | own | {"DJANGO_SETTINGS_MODULE": "llamora.settings"}
            subprocess.run([sys.executable, "-c", _MAKE], cwd=ROOT, env=environment, check=True)
            under_way.rename(ready)
    return ready
