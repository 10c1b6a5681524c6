"""Tests of the additional threads of a search."""

import os
import subprocess
import sys

from tests.conftest import ROOT

_COUNT = """
import django
django.setup()
import numpy as np
from pathlib import Path
square = np.ones((700, 700), dtype=np.float32)
square @ square
print(len(list(Path("/proc/self/task").iterdir())))
"""


def test_products_of_vectors_start_no_threads_of_their_own() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}

    counted = subprocess.run(
        [sys.executable, "-c", _COUNT], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )

    assert counted.stdout == "1\n"
