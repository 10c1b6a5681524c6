"""Tests that a template and its precompiled form give the same section of a reply, in every state."""

from uuid import uuid4

import pytest
from django.template.loader import render_to_string
from django.utils.safestring import mark_safe

from diary.generation.job_status import describe_state
from diary.messages import JOB_NOTHING_WRITTEN, JOB_PARTIAL_SAVED
from diary.replies.section import ReplyView, render_reply
from llamora.inference.job import LIVE_STATES, JobState

NOTES = ["", "Thinking.", 'It isn\'t <b>here</b> & "there".']


@pytest.mark.parametrize("state", list(JobState))
@pytest.mark.parametrize("note", NOTES)
@pytest.mark.parametrize("words", ["", 'A <i>sailor</i> & "others"'])
def test_a_section_is_what_the_template_makes_of_it(state: JobState, note: str, words: str) -> None:
    owner = uuid4()
    view = ReplyView(
        id=uuid4(),
        entry_id=uuid4(),
        state=state.value,
        html=mark_safe("<p>Tea &amp; rain</p>"),
        tail=mark_safe("<p>and</p>"),
        note=note,
        can_stop=state in LIVE_STATES,
        can_retry=state not in LIVE_STATES,
        kind_label=words,
        thoughts=words,
    )

    made = render_reply(view, owner_id=owner)

    assert made == render_to_string("diary/fragments/reply.html", {"reply": view, "owner_id": owner})


@pytest.mark.parametrize("state", [JobState.STOPPED, JobState.INTERRUPTED, JobState.FAILED])
@pytest.mark.parametrize("reason", ["", "locked", "new_key", "silent", "empty", "a code nobody knows"])
def test_every_unhappy_end_has_a_sentence(state: JobState, reason: str) -> None:
    assert describe_state(state=state, reason=reason).endswith(".")


@pytest.mark.parametrize("state", [JobState.STOPPED, JobState.INTERRUPTED])
def test_what_broke_off_before_its_first_word_says_that_there_is_none(state: JobState) -> None:
    assert JOB_PARTIAL_SAVED in describe_state(state=state, reason="closing")
    assert JOB_NOTHING_WRITTEN in describe_state(state=state, reason="closing", is_empty=True)


@pytest.mark.parametrize(
    "reason", ["dropped", "silent", "time_limit", "repetition", "content_filter", "internal"]
)
def test_what_failed_before_its_first_word_says_that_there_is_none(reason: str) -> None:
    assert JOB_PARTIAL_SAVED in describe_state(state=JobState.FAILED, reason=reason)
    assert JOB_NOTHING_WRITTEN in describe_state(state=JobState.FAILED, reason=reason, is_empty=True)
    assert "saved" not in describe_state(state=JobState.FAILED, reason=reason, is_empty=True)


@pytest.mark.parametrize(("place", "words"), [(0, "Waiting"), (1, "next"), (2, "one other"), (5, "4 others")])
def test_the_place_in_the_queue_is_told_in_words(place: int, words: str) -> None:
    assert words in describe_state(state=JobState.WAITING, reason="", position=place)
