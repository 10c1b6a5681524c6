"""The child process that runs a `.gguf` file: `python -m llamora.inference.llamacpp_child`.

    environment   LLAMORA_CHILD_KEY: the key that every request must contain
    stdin         one line of JSON {"model": path, "context": tokens, "parallel": n, "threads": n,
                  "gpu_layers": n}, then nothing;
                  when the parent closes stdin or ends, this process ends
    stdout        one line: {"address": "http://127.0.0.1:port"}, or {"failed": true}

At a high verbosity llama.cpp logs parts of prompts. So its verbosity is low, and stdout and stderr are
redirected to /dev/null before it is loaded. The text of a reply stays in the memory of this process until
another reply replaces it; core dumps are disabled.
"""

import ctypes
import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from llamora.process_memory import protect_process_memory

PR_SET_PDEATHSIG = 1
KEY_VARIABLE = "LLAMORA_CHILD_KEY"
# Pages go before replies when both need the processor.
_NICENESS = 5


def _die_with_parent() -> None:
    """Ask the kernel to end this process with its parent (Linux), and disable debuggers and core dumps."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    protect_process_memory()


def _redirect_output() -> int:
    """Redirect stdout and stderr to /dev/null, and return a copy of the original stdout."""
    report, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    return report


def _serve(options: dict[str, Any], key: str) -> Any:
    import xllamacpp  # noqa: PLC0415 - only after the output streams lead nowhere

    params = xllamacpp.CommonParams()
    params.model.path = options["model"]
    params.model_alias = {Path(options["model"]).stem}
    params.n_parallel = options["parallel"]
    # llama.cpp divides the window between the slots; our setting is for one reply.
    params.n_ctx = options["context"] * options["parallel"]
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = options["threads"]
    params.n_gpu_layers = options["gpu_layers"]
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [key]
    params.endpoint_slots = params.endpoint_props = params.endpoint_metrics = params.ui = False
    params.verbosity = -1
    # No cache of earlier prompts beside the slots themselves.
    params.cache_ram_mib = 0
    params.cache_idle_slots = False
    return xllamacpp.Server(params)


def _exit_at_end_of_stdin(stdin: int) -> None:
    while os.read(stdin, 4096):
        pass
    os._exit(0)


def main() -> None:
    """Load the model, print the address, and serve until the parent ends."""
    _die_with_parent()
    report, key = _redirect_output(), os.environ.pop(KEY_VARIABLE)
    options = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_exit_at_end_of_stdin, args=(0,), daemon=True).start()
    os.nice(_NICENESS)
    try:
        server = _serve(options, key)
        answer = {"address": server.listening_address}
    except Exception:
        # Whatever the error is: the parent is told, and nothing is printed.
        answer = {"failed": True}
    os.write(report, json.dumps(answer).encode() + b"\n")
    os.close(report)
    if "failed" not in answer:
        threading.Event().wait()


if __name__ == "__main__":
    main()
