"""A reply's section: the same from the template as from its ready-made form, in every state."""

from uuid import uuid4

import pytest
from django.template.loader import render_to_string
from django.utils.safestring import mark_safe

from diary.replies.presenting import ReplyView, note_of, section
from llamora.inference.jobs import LIVE, State

NOTES = ["", "Thinking.", 'It isn\'t <b>here</b> & "there".']


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("note", NOTES)
@pytest.mark.parametrize("words", ["", 'A <i>sailor</i> & "others"'])
def test_a_section_is_what_the_template_makes_of_it(state: State, note: str, words: str) -> None:
    owner = uuid4()
    view = ReplyView(
        id=uuid4(),
        entry_id=uuid4(),
        state=state.value,
        html=mark_safe("<p>Tea &amp; rain</p>"),
        tail=mark_safe("<p>and</p>"),
        note=note,
        can_stop=state in LIVE,
        can_retry=state not in LIVE,
        kind_label=words,
        thoughts=words,
    )

    made = section(view, owner_id=owner)

    assert made == render_to_string("diary/fragments/reply.html", {"reply": view, "owner_id": owner})


@pytest.mark.parametrize("state", [State.STOPPED, State.INTERRUPTED, State.FAILED])
@pytest.mark.parametrize("reason", ["", "locked", "new_key", "silent", "empty", "a code nobody knows"])
def test_every_unhappy_end_has_a_sentence(state: State, reason: str) -> None:
    assert note_of(state=state, reason=reason).endswith(".")


@pytest.mark.parametrize("state", [State.STOPPED, State.INTERRUPTED])
def test_what_broke_off_before_its_first_word_says_that_there_is_none(state: State) -> None:
    assert "What had come is kept." in note_of(state=state, reason="closing")
    assert "Nothing had come yet." in note_of(state=state, reason="closing", is_empty=True)


@pytest.mark.parametrize("reason", ["dropped", "silent", "time_limit", "repetition", "internal"])
def test_what_failed_before_its_first_word_says_that_there_is_none(reason: str) -> None:
    assert "What came is kept" in note_of(state=State.FAILED, reason=reason)
    assert "Nothing had come yet" in note_of(state=State.FAILED, reason=reason, is_empty=True)
    assert "kept" not in note_of(state=State.FAILED, reason=reason, is_empty=True)


@pytest.mark.parametrize(("place", "words"), [(0, "Waiting"), (1, "next"), (2, "one other"), (5, "4 others")])
def test_the_place_in_the_queue_is_told_in_words(place: int, words: str) -> None:
    assert words in note_of(state=State.WAITING, reason="", place=place)
