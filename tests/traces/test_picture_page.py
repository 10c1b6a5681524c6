"""The picture: drawn on the server without a style of its own, and a table that holds all of it."""

import re

from tests.diary.cast import Member
from tests.traces.cast import keeps
from traces.graph import layout


def test_the_table_holds_every_trace_with_what_it_goes_with(owner: Member) -> None:
    for text in ("A", "B"):
        keeps(owner, owner.wrote(text), "boat", "water")
    boat, alone = keeps(owner, owner.wrote("C"), "boat")[0], keeps(owner, owner.wrote("D"), "alone")[0]

    page = owner.get("/traces/picture/").content.decode()

    rows = [re.sub(r"<[^>]+>", " ", row).split() for row in re.findall(r"<tr>(.*?)</tr>", page)[1:]]
    assert rows == [["boat", "3", "water", "2"], ["water", "2", "boat", "2"], ["alone", "1"]]
    assert f'href="/traces/{boat.id}/with/' in page
    assert f'href="/traces/{alone.id}/"' in page


def test_the_drawing_has_points_lines_and_names_and_no_style(owner: Member) -> None:
    keeps(owner, owner.wrote("A"), "boat", "<water>")

    page = owner.get("/traces/picture/").content.decode()

    drawings = re.findall(r"<svg class=\"graph-drawing.*?</svg>", page, re.DOTALL)
    assert len(drawings) == 2
    for drawing in drawings:
        assert drawing.count("<circle") == 2
        assert drawing.count("<line") == 1
        assert "<title>&lt;water&gt;</title>" in drawing
        assert "style" not in drawing
    assert " style=" not in page


def test_more_than_it_has_room_for_are_in_the_table(owner: Member, monkeypatch: object) -> None:
    for number in range(5):
        keeps(owner, owner.wrote(f"{number}"), *[f"trace {n}" for n in range(number + 1)])
    from traces.graph import presenters as graph_presenters

    monkeypatch.setattr(graph_presenters, "MAX_NODES", 3)  # type: ignore[attr-defined]

    page = owner.get("/traces/picture/").content.decode()

    assert "the picture has room for the 3 most kept" in page
    assert page.count("<tr>") == 6
    assert page.count("<circle") == 6
    assert layout.MAX_NODES == 300


def test_without_traces_it_says_what_will_come(owner: Member, housemate: Member) -> None:
    keeps(housemate, housemate.wrote("A"), "theirs")

    page = owner.get("/traces/picture/").content.decode()

    assert "Nothing is kept yet." in page
    assert "<circle" not in page
