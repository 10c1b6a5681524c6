"""Tests of the parser of front matter."""

import pytest

from diary.notes.front_matter import split_front_matter


@pytest.mark.parametrize(
    ("block", "values"),
    [
        ("name: Letters", {"name": "Letters"}),
        ("name: 'It''s'\ndescription: \"a \\\"b\\\"\"", {"name": "It's", "description": 'a "b"'}),
        ("Name: x # why", {"name": "x"}),
        ("description: >\n  one\n  two\nname: y", {"description": "one two", "name": "y"}),
        ("description: |\n  one\n  two", {"description": "one\ntwo"}),
        ("description: one\n  two", {"description": "one two"}),
        ("metadata:\n  openclaw: {}\nname: y", {"metadata": "", "name": "y"}),
        ("- a\n- b\n: c\n{}", {}),
        ("name: a\nname: b", {"name": "a"}),
        ("url: https://a.example/b", {"url": "https://a.example/b"}),
    ],
)
def test_values_are_read_and_what_is_not_understood_is_passed_over(
    block: str, values: dict[str, str]
) -> None:
    for end in ("\n", "\r\n"):
        front = split_front_matter(f"---\n{block}\n---\nbody\n".replace("\n", end))

        assert front.values == values
        assert front.body == f"body{end}"


@pytest.mark.parametrize(
    "text", ["", "body", "---\nname: x\n", "--- \n", "a\n---\nname: x\n---\n", "----\nname: x\n---\n"]
)
def test_without_a_block_all_is_the_body(text: str) -> None:
    front = split_front_matter(text)

    assert (front.values, front.body) == ({}, text)
