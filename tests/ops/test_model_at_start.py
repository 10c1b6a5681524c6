"""Tests of the model server's state as `up` prints it, and of the end of its process."""

import time
from pathlib import Path

from tests.fakes.model_server import FakeModelServer
from tests.fakes.tiny_model import write_tiny_model
from tests.server import Server, start

NOWHERE = "http://127.0.0.1:9"


def wait_for(server: Server, words: str, *, seconds: float = 30) -> str:
    """Wait until the server has printed a line with these words, and return it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := [line for line in server.log().splitlines() if words in line]:
            return found[0]
        time.sleep(0.05)
    raise TimeoutError(f"{words!r} was not printed:\n{server.log()}")


def list_child_pids(pid: int) -> set[int]:
    return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def test_a_model_server_that_was_found_is_told_after_the_address(tmp_path: Path) -> None:
    with FakeModelServer(model="quiet-words") as model:
        server = start(tmp_path, extra={"LLAMORA_MODEL_URL": model.url})
        try:
            wait_for(server, "quiet-words")
        finally:
            server.stop()

    assert server.log().index("Llamora is at") < server.log().index("quiet-words")


def test_pages_are_served_though_the_model_is_not_there(tmp_path: Path) -> None:
    server = start(tmp_path, extra={"LLAMORA_MODEL_URL": NOWHERE})
    try:
        line = wait_for(server, "model server")
    finally:
        server.stop()

    assert "not running" in line


def test_a_model_run_inside_ends_with_the_house(tmp_path: Path, shared: Path) -> None:
    file = write_tiny_model(shared, tmp_path)
    server = start(tmp_path, extra={"LLAMORA_MODEL_FILE": str(file)})
    try:
        wait_for(server, "Replies are written by")
        children = list_child_pids(server.pid)

        took = server.stop()
    finally:
        server.process.kill()

    assert took < 10, f"{took:.2f} s"
    assert len(children) == 1
    assert [child for child in children if Path(f"/proc/{child}").exists()] == []
