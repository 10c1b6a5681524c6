"""Tests of parsing streams: split anywhere, with whole characters, thoughts and leaked markers."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamora.llm.deltas import StreamEnd, TokenUsage
from llamora.llm.errors import (
    ConnectionDropped,
    MalformedResponse,
    ModelError,
    ModelServerFailed,
    RepetitionDetected,
    ThoughtUntilLimit,
)
from llamora.llm.sse import LONGEST_LINE, EventReader
from llamora.llm.stream_parser import StreamParser
from tests.fakes.script import make_words
from tests.llm.recordings import Reading, read_chunks

DONE = b"data: [DONE]\n\n"
MARKUP = (
    *(
        "<think>",
        "</think>",
        "</s>",
        "<",
        "a ",
        "\n",
        "<|im_",
        "end|>",
        "雨",
        "`",
        "[THINK]",
        "[/THINK]",
        "[",
    ),
    *(
        "<|channel|>",
        "final",
        "analysis",
        "<|message|>",
        "<|end|>",
        "<|start|>assistant",
        "<|channel>",
        "x" * 90,
    ),
)


PIECES = (
    *(b"data: ", b"data:", b"{1}", b"{", b"}", b"\r", b"\n", b"\r\n", b"\n\n", b"[DONE]", b"\xef\xbb\xbf"),
    *(b": x", b"error:", b" ", b"event: e", b"<"),
)


def list_events(chunks: list[bytes]) -> list[bytes | str]:
    """Return the payloads in these chunks, and the code of an error at their end."""
    reader, found = EventReader(), list[bytes | str]()
    try:
        for chunk in chunks:
            found += reader.feed(chunk)
        found += reader.close()
    except ModelError as error:
        found.append(error.code)
    return found


def build_event(text: str = "", *, finish: str | None = None, **fields: object) -> bytes:
    delta = {"content": text, **fields} if text or not fields else fields
    payload = {"choices": [{"delta": delta, "finish_reason": finish}]}
    return b"data: " + json.dumps(payload, ensure_ascii=False).encode() + b"\n\n"


def parse_chunks(*chunks: bytes, thinks_first: bool = False) -> tuple[str, str, StreamEnd]:
    """Return the final text that a page would show."""
    reading, text, thought = StreamParser(thinks_first=thinks_first), "", ""
    deltas = [reading.feed(chunk) for chunk in chunks]
    for delta in [*deltas, reading.close()]:
        if delta is None:
            continue
        text = delta.text if delta.withdraw else text + delta.text
        thought += delta.thought
    return text, thought, reading.finish()


def parse_texts(*texts: str) -> tuple[str, str]:
    """Return the text and the thoughts of a reply received in these pieces."""
    return parse_chunks(*map(build_event, texts), build_event(finish="stop"), DONE)[:2]


def test_text_is_joined_and_the_end_is_told() -> None:
    usage = b'data: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":2}}\n\n'

    result = parse_chunks(build_event("Good "), build_event("day"), build_event(finish="length"), usage, DONE)

    assert result == ("Good day", "", StreamEnd("length", TokenUsage(7, 2)))


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])), st.integers(1, 40))
def test_a_reply_cut_anywhere_reads_the_same(text: str, size: int) -> None:
    whole = build_event("Dear " + text + ".") + build_event(finish="stop") + DONE
    chunks = [whole[start : start + size] for start in range(0, len(whole), size)]

    assert parse_chunks(*chunks)[0] == parse_chunks(whole)[0]


@given(
    st.lists(st.sampled_from(MARKUP)),
    st.integers(1, 9),
)
def test_markup_cut_anywhere_sorts_the_same(parts: list[str], size: int) -> None:
    text = "".join(parts)

    cut = parse_texts(*(text[start : start + size] for start in range(0, len(text), size)))

    assert cut[0] == parse_texts(text)[0]


@given(st.lists(st.sampled_from(PIECES), max_size=14), st.integers(1, 9))
def test_events_cut_anywhere_are_the_same(pieces: list[bytes], size: int) -> None:
    whole = b"".join(pieces)
    chunks = [whole[start : start + size] for start in range(0, len(whole), size)]

    assert list_events(chunks) == list_events([whole])


def test_fifty_thousand_events_a_second_and_more_are_read() -> None:
    whole = b"".join(build_event(f"{word} ") for word in make_words(25_000))
    reading, begun = StreamParser(), time.process_time()

    pieces = [reading.feed(whole[start : start + 65536]) for start in range(0, len(whole), 65536)]

    assert time.process_time() - begun < 0.5
    assert sum(delta.pieces for delta in pieces if delta) == 25_000


def test_comments_other_fields_and_carriage_returns_are_passed_over() -> None:
    raw = (
        b": ping\r\n\r\nevent: x\r\nid: 3\r\n"
        + build_event("tea").replace(b"\n", b"\r\n")
        + build_event(finish="stop")
    )

    assert parse_chunks(raw)[0] == "tea"


def test_what_follows_the_end_is_no_text_wherever_it_is_cut() -> None:
    wire = build_event("tea") + DONE + DONE + build_event(" for another") + DONE

    for cut in range(len(wire)):
        assert read_chunks([wire[:cut], wire[cut:]]) == Reading("tea", "", "stop"), cut


def test_an_end_without_its_blank_line_is_still_an_end() -> None:
    assert parse_chunks(build_event("tea"), b"data: [DONE]")[0] == "tea"


def test_a_stream_without_an_end_was_dropped() -> None:
    with pytest.raises(ConnectionDropped):
        parse_chunks(build_event("tea"))


@pytest.mark.parametrize(
    "payload",
    [b'{"choices":[{"del', b"[1]", b"42", b"true", b'{"choices":[7]}', b'{"choices":"x"}', b"[" * 99_999],
)
def test_a_malformed_event_is_an_error_without_its_text(payload: bytes) -> None:
    with pytest.raises(MalformedResponse) as caught:
        parse_chunks(b"data: " + payload + b"\n\n")

    assert str(caught.value) == "malformed"


def test_a_line_without_end_is_refused_rather_than_kept() -> None:
    reader = EventReader()
    reader.feed(b"x" * LONGEST_LINE)

    with pytest.raises(MalformedResponse):
        reader.feed(b"x")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ({"code": 500, "message": "oh"}, "server_error"),
        ({"code": 400, "type": "exceed_context_size_error"}, "too_long"),
        ({"code": 503, "message": "Loading model"}, "loading"),
        ("plain", "server_error"),
    ],
)
def test_an_error_inside_the_stream_has_its_code(error: object, code: str) -> None:
    with pytest.raises(ModelError) as caught:
        parse_chunks(build_event("so far"), b"data: " + json.dumps({"error": error}).encode() + b"\n\n")

    assert caught.value.code == code


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning", "thinking"])
def test_thinking_in_a_field_of_its_own_is_thought(field: str) -> None:
    assert parse_chunks(build_event(**{field: "hm"}), build_event("Tea."), DONE)[:2] == ("Tea.", "hm")


@pytest.mark.parametrize("tag", ["think", "thinking", "thought"])
def test_inline_thinking_is_thought_however_it_is_cut(tag: str) -> None:
    whole = f"<{tag}>so it rained</{tag}>\n\nIt rained."

    assert parse_texts(whole) == ("It rained.", "so it rained")
    assert parse_texts(*whole) == ("It rained.", "so it rained")


def test_a_lone_end_of_thinking_withdraws_what_came_before() -> None:
    assert parse_texts("perhaps ", "rain</th", "ink>\n\nIt rained.")[0] == "It rained."


def test_what_is_known_to_be_thinking_is_text_at_no_moment() -> None:
    reading = StreamParser(thinks_first=True)
    deltas = [reading.feed(build_event(text)) for text in ("perhaps ", "rain</th", "ink>\n\nIt rained.")]

    assert [delta.text for delta in deltas if delta] == ["", "", "It rained."]
    assert "".join(delta.thought for delta in deltas if delta) == "perhaps rain"
    assert not any(delta.withdraw for delta in deltas if delta)


def test_a_model_held_to_think_first_that_does_not_is_heard_all_the_same() -> None:
    whole, cut = build_event(finish="stop"), build_event(finish="length")

    assert (
        parse_chunks(build_event("\nIt "), build_event("rained."), whole, DONE, thinks_first=True)[0]
        == "It rained."
    )
    assert parse_chunks(build_event("It rained.<|im_end|>"), DONE, thinks_first=True)[0] == "It rained."
    with pytest.raises(ThoughtUntilLimit):
        parse_chunks(build_event("perhaps "), build_event("it"), cut, DONE, thinks_first=True)
    assert parse_chunks(build_event("<think>hm</think>Tea."), whole, DONE, thinks_first=True)[:2] == (
        "Tea.",
        "hm",
    )


def test_a_server_that_sends_thinking_apart_is_believed_before_the_template() -> None:
    reading = StreamParser(thinks_first=True)

    reading.feed(build_event(reasoning_content="hm"))

    tea = reading.feed(build_event("Tea."))
    assert tea is not None
    assert (tea.text, tea.thought) == ("Tea.", "")


def test_a_lone_end_in_one_piece_with_its_thought_keeps_the_thought() -> None:
    assert parse_texts("perhaps rain</think>It rained.") == ("It rained.", "perhaps rain")


def test_a_stray_end_after_thinking_apart_withdraws_nothing() -> None:
    assert (
        parse_chunks(build_event(reasoning_content="hm"), build_event("Tea"), build_event("</think>."), DONE)[
            0
        ]
        == "Tea."
    )


def test_thinking_that_never_ends_is_no_text() -> None:
    assert parse_texts("<think>on and on") == ("", "on and on")


@pytest.mark.parametrize("marker", ["<|im_end|>", "<|eot_id|>", "<end_of_turn>", "<|endoftext|>"])
def test_a_leaked_end_marker_ends_the_reply_however_it_is_cut(marker: str) -> None:
    assert parse_texts("Good day.", marker, "\n<|im_start|>user\nmore") == ("Good day.", "")
    assert parse_texts(*f"Good day.{marker}invented") == ("Good day.", "")


def test_a_closing_strike_through_is_text_but_trailing_it_is_an_end() -> None:
    assert parse_texts("<s>tea</s>", " coffee") == ("<s>tea</s> coffee", "")
    assert parse_texts("Good day.", "</s>") == ("Good day.", "")
    assert parse_texts("Good day.</s>\n", "</s>") == ("Good day.", "")


def test_a_less_than_sign_is_only_text() -> None:
    assert parse_texts("a <", " b <", "|", " c <th") == ("a < b <| c <th", "")


def test_a_character_split_into_raw_bytes_is_put_together() -> None:
    first, second = "🌧".encode()[:2], "🌧".encode()[2:]
    halves = [
        build_event("?").replace(b"?", b"rain " + first),
        build_event("?").replace(b"?", second + b" tea"),
    ]

    assert parse_chunks(*halves, DONE)[0] == "rain 🌧 tea"


def test_a_character_split_into_surrogates_is_put_together() -> None:
    high = b'data: {"choices":[{"delta":{"content":"rain \\ud83c"}}]}\n\n'
    low = b'data: {"choices":[{"delta":{"content":"\\udf27 tea"}}]}\n\n'

    assert parse_chunks(high, low, DONE)[0] == "rain 🌧 tea"


def test_half_a_character_never_leaves_as_half() -> None:
    high = b'data: {"choices":[{"delta":{"content":"a\\ud83cb\\udfff c"}}]}\n\n'
    half = build_event("?").replace(b"?", "🌧".encode()[:2])

    text = parse_chunks(high, half, build_event("z"), half, DONE)[0]

    assert text == "a\ufffdb\ufffd c\ufffdz"


def test_control_characters_are_left_out() -> None:
    assert parse_texts("a\x00b\x1b[31m\tc\n\x7fd") == ("ab[31m\tc\nd", "")


def test_pieces_count_every_event_also_those_held_back() -> None:
    reading = StreamParser()
    deltas = [reading.feed(build_event(text)) for text in ("a", "<", "thin", "king about", " b")]

    assert sum(delta.pieces for delta in deltas if delta) == 5


def test_a_reply_in_circles_is_stopped() -> None:
    with pytest.raises(RepetitionDetected):
        parse_chunks(*(build_event("and then the rain came again, ") for _ in range(200)))


def test_thinking_in_circles_is_stopped() -> None:
    with pytest.raises(RepetitionDetected):
        parse_chunks(*(build_event(reasoning_content="wait, the user said rain. ") for _ in range(200)))


def test_what_came_before_circles_in_one_read_is_told_first() -> None:
    reading = StreamParser()

    delta = reading.feed(b"".join(build_event(text) for text in ("Quiet. ", *["round and round, "] * 200)))

    assert delta is not None
    assert delta.text.startswith("Quiet. round")
    assert reading.ended
    with pytest.raises(RepetitionDetected):
        reading.close()


@pytest.mark.parametrize("last", [b"data: {half", b'data: {"error": {"code": 500, "message": "slot"}}'])
def test_an_error_in_the_last_read_is_raised_after_its_words(last: bytes) -> None:
    reading = StreamParser()

    assert reading.feed(build_event("Quiet.").strip()) is None
    reading.feed(b"\n" + last)
    words = reading.close()

    assert words is not None
    assert words.text == "Quiet."
    with pytest.raises(ModelError):
        reading.finish()


@pytest.mark.parametrize(
    ("broken", "error"),
    [
        (b'data: {"error": {"code": 500, "message": "slot"}}\n\n', ModelServerFailed),
        (b"data: {half\n\n", MalformedResponse),
    ],
)
def test_words_that_came_before_an_error_in_one_read_are_told_first(
    broken: bytes, error: type[ModelError]
) -> None:
    reading = StreamParser()

    delta = reading.feed(
        build_event("Good ") + build_event("day") + broken + build_event(" later") + b"data: {"
    )

    assert delta is not None
    assert delta.text == "Good day"
    assert reading.ended
    with pytest.raises(error):
        reading.close()
