"""Sentences about the state of a job, for pages and tabs."""

from llamora.inference.job import LIVE_STATES, Job, JobState
from llamora.inference.messages import NOTHING_WRITTEN, PARTIAL_SAVED, get_message

STOPPED = "Stopped."
SAVED_SO_FAR = f"{PARTIAL_SAVED}."
NOTHING_YET = f"{NOTHING_WRITTEN}."
LENGTH_REACHED = "This reached the longest a reply may be; the model may have had more to say."
NOT_SAVED = "This could not be written to the disk yet; that is tried again. Copy it if it matters to you."
THINKING = "Thinking."
WAITING = "Waiting for the model."
_INTERRUPTED = {
    "locked": "The diary was locked while this was being written.",
    "new_key": "Your diary got a new key while this was being written.",
    "closing": "Llamora was closed while this was being written.",
    "crashed": "Llamora ended while this was being written.",
}
_FAILED = {
    "not_written": "Nothing can be written to the disk just now, so no reply was begun. Try again later.",
    "empty": "The model had nothing to say this time. Try again.",
    "internal": f"Something went wrong in Llamora; its log says what. {PARTIAL_SAVED}. Try again.",
}


def describe_state(
    *, state: str, reason: str, position: int = 0, is_thinking: bool = False, is_empty: bool = False
) -> str:
    """Return a status sentence for a reply, or an empty string if its state needs no explanation."""
    match state:
        case JobState.WAITING:
            return WAITING if position < 1 else _describe_position(position)
        case JobState.WRITING:
            return THINKING if is_thinking else ""
        case JobState.STOPPED:
            return _describe_partial(STOPPED, is_empty=is_empty)
        case JobState.INTERRUPTED:
            return _describe_partial(_INTERRUPTED.get(reason, _INTERRUPTED["crashed"]), is_empty=is_empty)
        case JobState.FAILED:
            sentence = _FAILED.get(reason) or get_message(reason)
            return sentence.replace(PARTIAL_SAVED, NOTHING_WRITTEN) if is_empty else sentence
    return LENGTH_REACHED if reason == "length" else ""


def describe_job(job: Job) -> str:
    """Return the status sentence for a job."""
    if not job.is_saved:
        return NOT_SAVED
    return describe_state(
        state=job.state,
        reason=job.reason,
        position=job.position,
        is_thinking=job.is_thinking,
        is_empty=job.state not in LIVE_STATES and not job.text,
    )


def _describe_partial(sentence: str, *, is_empty: bool) -> str:
    return f"{sentence} {NOTHING_YET if is_empty else SAVED_SO_FAR}"


def _describe_position(position: int) -> str:
    if position == 1:
        return "Waiting for the model. You are next."
    others = "one other" if position == 2 else f"{position - 1} others"
    return f"Waiting for the model, after {others}."
