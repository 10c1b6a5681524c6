"""Tests of the progress bar: drawn on a terminal, cleared at the end."""

import io

from diary.management.progress import ProgressBar


class Terminal(io.StringIO):
    """An output that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_a_bar_that_leaves_nothing_behind() -> None:
    out = Terminal()

    with ProgressBar(out, total=200) as bar:
        bar.show(100, "9 lines")

    drawn, cleared = out.getvalue().split("\r")[1:3]
    assert drawn == f"[{'#' * 15}{' ' * 15}]  50%  9 lines"
    assert cleared == " " * len(drawn)


def test_a_file_sees_nothing() -> None:
    out = io.StringIO()

    with ProgressBar(out, total=200) as bar:
        bar.show(100, "9 lines")

    assert out.getvalue() == ""


def test_an_empty_whole_is_no_division_by_nothing() -> None:
    out = Terminal()

    with ProgressBar(out, total=0) as bar:
        bar.show(0, "")

    assert "0%" in out.getvalue()
