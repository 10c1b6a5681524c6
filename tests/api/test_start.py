"""Tests that the API adds almost nothing to the time of a start."""

import json
import os
import subprocess
import sys

from tests.server import ROOT

SCRIPT = """
import json, sys
import django
django.setup()
import llamora.urls
print(json.dumps([name for name in ("llamora.api.urls", "httpx", "llamora.client") if name in sys.modules]))
"""


def test_a_start_loads_the_calls_and_not_the_client_with_its_packages() -> None:
    """They took 100 ms and 8 MiB."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=ROOT,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "tests.served_settings"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert json.loads(done.stdout) == ["llamora.api.urls"]
