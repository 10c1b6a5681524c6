"""Tests of search by meaning in a new household without settings: it works, and sends nothing anywhere."""

import time
from pathlib import Path

from tests.browser_client import Visitor, set_up_token
from tests.page import read
from tests.server import run_server


def test_the_first_entry_is_found_by_other_words_and_nothing_is_asked_outside(tmp_path: Path) -> None:
    (home := tmp_path / "home").mkdir()
    extra = {
        "DJANGO_SETTINGS_MODULE": "tests.watched_settings",
        "HOME": str(home),
        "LLAMORA_SEARCH_MODEL": "",
    }
    with run_server(tmp_path, extra=extra, is_forked=False) as server:
        olive = Visitor.join(server, "Olive", set_up=set_up_token(server))
        olive.save("We walked along the river with the dog until it was dark.")

        deadline = time.monotonic() + 120
        reasons: list[str] = []
        while not reasons and time.monotonic() < deadline:
            page = olive.post("/search/", q="evening stroll beside water")
            reasons = read(page.body).texts(".hit-reason")
            time.sleep(0.3)

        assert reasons == ["related"]
    assert "Connections are watched." in server.log()
    assert "OUTGOING" not in server.log()
    assert "WARNING" not in server.log()
    assert list(home.iterdir()) == []
