"""Tests of a served household on a full disk: only its server releases the reserve, no other command."""

from pathlib import Path

import pytest

from llamora.database import reserve
from tests.browser_client import Visitor
from tests.ops.small_disk import mount_small_disk
from tests.server import run_command, run_server

MIB = 2**20
DISK_MIB, RESERVE_MIB = 32, 3
LONG = "The well is dry. " * 2000


def test_the_reserve_is_given_up_while_serving_and_at_a_start_and_made_again(tmp_path: Path) -> None:
    extra = {"LLAMORA_RESERVE_MIB": str(RESERVE_MIB), "LLAMORA_REGISTRATION": "open"}
    with mount_small_disk(tmp_path, name="data", mebibytes=DISK_MIB) as disk:
        if not disk.is_real:
            pytest.skip("only root may mount a disk")
        file = disk.folder / reserve.NAME

        with run_server(tmp_path, extra=extra) as server:
            olive = Visitor.join(server, "Olive")
            assert file.stat().st_size == RESERVE_MIB * MIB
            disk.fill()
            assert olive.save(LONG).status == 200
            assert not file.exists()
            assert "Its reserve was deleted: free some space." in server.log()
            disk.empty()

        with run_server(tmp_path, extra=extra):
            assert file.stat().st_size == RESERVE_MIB * MIB
        disk.fill()

        refused = run_command(tmp_path, "invite", extra=extra)
        assert refused.returncode == 1
        assert f"The disk of {disk.folder} is full" in refused.stderr
        assert "Traceback" not in refused.stderr
        assert file.exists()

        with run_server(tmp_path, extra=extra) as server:
            olive.move_to(server)
            assert f"{disk.folder} had no space left, so its reserve was deleted." in server.log()
            assert f"There is no space for the reserve of {RESERVE_MIB} MiB" in server.log()
            assert not file.exists()
            assert olive.sign_in().status == 302
            assert olive.save("After the start").status == 200
            assert olive.list_texts() == [LONG, "After the start"]
