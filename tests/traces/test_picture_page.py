"""Tests of the graph page: an SVG without inline styles, and a complete table."""

import pytest

from tests.page import read
from tests.people import Resident
from tests.traces.tagging import add_traces
from traces.graph import layout, presenters


def test_the_table_holds_every_trace_with_what_it_goes_with(owner: Resident) -> None:
    for text in ("A", "B"):
        add_traces(owner, owner.write(text), "boat", "water")
    boat, alone = (
        add_traces(owner, owner.write("C"), "boat")[0],
        add_traces(owner, owner.write("D"), "alone")[0],
    )

    page = owner.get("/traces/picture/").content.decode()

    rows = [row.spaced_text.split() for row in read(page).all("tr")[1:]]
    assert rows == [["boat", "3", "water", "2"], ["water", "2", "boat", "2"], ["alone", "1"]]
    assert f'href="/traces/{boat.id}/with/' in page
    assert f'href="/traces/{alone.id}/"' in page


def test_the_drawing_has_points_lines_and_names_and_no_style(owner: Resident) -> None:
    add_traces(owner, owner.write("A"), "boat", "<water>")

    page = owner.get("/traces/picture/").content.decode()

    drawings = read(page).all("svg.graph-drawing")
    assert len(drawings) == 2
    for drawing in drawings:
        assert len(drawing.all("circle")) == 2
        assert len(drawing.all("line")) == 1
        assert "<water>" in drawing.texts("title")
        assert "style" not in drawing.html
    assert " style=" not in page


def test_more_than_it_has_room_for_are_in_the_table(owner: Resident, monkeypatch: object) -> None:
    for number in range(5):
        add_traces(owner, owner.write(f"{number}"), *[f"trace {n}" for n in range(number + 1)])
    from traces.graph import presenters as graph_presenters

    monkeypatch.setattr(graph_presenters, "MAX_NODES", 3)  # type: ignore[attr-defined]

    page = owner.get("/traces/picture/").content.decode()

    assert "the graph shows the 3 most used" in page
    assert page.count("<tr>") == 6
    assert page.count("<circle") == 6
    assert layout.MAX_NODES == 300


def test_the_work_for_a_page_does_not_grow_with_the_square_of_all_traces(
    owner: Resident, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        add_traces(owner, owner.write(f"{number}"), *[f"trace {n}" for n in range(number + 1)])
    monkeypatch.setattr(presenters, "MAX_COMPARED", 3)

    page = owner.get("/traces/picture/").content.decode()

    assert "The table shows the same for the 3 most used." in page
    assert [row.spaced_text.split()[1] for row in read(page).all("tr")[1:]] == ["0", "1", "2"]


def test_without_traces_it_says_what_will_come(owner: Resident, housemate: Resident) -> None:
    add_traces(housemate, housemate.write("A"), "theirs")

    page = owner.get("/traces/picture/").content.decode()

    assert "No traces yet." in page
    assert "<circle" not in page
