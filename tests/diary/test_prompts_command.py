"""Tests of `manage.py prompts check`: every prompt is filled in, and a file that can't be used is named."""

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from diary.generation.prompt_templates import OWN_TEMPLATES

_ONLY_WHOLE = "a text to read may be printed only as it is, without a filter."


def run_check(**options: Any) -> str:
    out = io.StringIO()
    call_command("prompts", "check", stdout=out, **options)
    return out.getvalue()


def test_each_prompt_is_filled_in_and_counted(tmp_path: Path, settings: Any) -> None:
    settings.DATA_DIR = tmp_path

    lines = run_check().splitlines()

    assert [line.split(":")[0] for line in lines] == sorted(path.stem for path in OWN_TEMPLATES.glob("*.txt"))
    assert all(", of Llamora, about " in line and " tokens with a sample day" in line for line in lines)
    (recap,) = [line for line in lines if line.startswith("recap:")]
    assert recap.endswith("temperature 0.2, ends after 60 words")


def test_a_prompt_is_printed_as_the_model_gets_it(tmp_path: Path, settings: Any) -> None:
    settings.DATA_DIR = tmp_path

    shown = run_check(show="respond")

    assert "--- system ---\nYou read an entry of a private diary" in shown
    assert '{"time": "21:40", "text": "Repaired the back door' in shown
    with pytest.raises(CommandError, match="There is no prompt of this name"):
        run_check(show="nothing")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"no line", "it needs a line of --- and valid template tags."),
        (b"\xff\n---\n", "it needs a line of --- and valid template tags."),
        (b"{{ entry.text }}\n---\n", "a text to read may stand only below its line of ---."),
        (b"a\n---\n{% include 'nowhere' %}", "filling it in failed."),
        (b"a\n---\n{{ entry|upper|slice:'40:' }}", _ONLY_WHOLE),
        (b"a\n---\n{{ entry }}{{ entry|cut:'<' }}", _ONLY_WHOLE),
        (b"a\n---\n{{ entry }}{% for one in entry.text|make_list %}{{ one }}-{% endfor %}", _ONLY_WHOLE),
        (b"a\n---\n{% filter truncatechars:30 %}{{ entry }}{% endfilter %}", _ONLY_WHOLE),
    ],
)
def test_a_file_that_cannot_be_used_is_named_and_ours_is_counted(
    tmp_path: Path, settings: Any, content: bytes, why: str
) -> None:
    settings.DATA_DIR = tmp_path
    file = tmp_path / "prompts" / "respond.txt"
    file.parent.mkdir()
    file.write_bytes(content)
    out = io.StringIO()

    with pytest.raises(CommandError, match="1 prompt of the household can't be used"):
        call_command("prompts", "check", stdout=out)

    assert f"The prompt {file} is not used: {why}" in out.getvalue()
    assert out.getvalue().count("of Llamora") == len(list(OWN_TEMPLATES.glob("*.txt")))


def test_a_file_of_the_household_is_said_to_be_its_own(tmp_path: Path, settings: Any) -> None:
    settings.DATA_DIR = tmp_path
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "recap.txt").write_text("Sum up.\n---\n{{ entries }}\n", encoding="utf-8")

    (recap,) = [line for line in run_check().splitlines() if line.startswith("recap:")]

    assert ", of the household, about " in recap
