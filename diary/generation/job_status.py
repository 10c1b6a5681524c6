"""diary.generation.job_status."""

from llamora.inference.job import LIVE_STATES, Job, JobState
from llamora.inference.messages import get_message

STOPPED = "Stopped."


SAVED_SO_FAR = "What had come is kept."


NOTHING_YET = "Nothing had come yet."


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
    "internal": "Something went wrong in Llamora itself, and its log names it. What came is kept; try again.",
}


def describe_state(
    *, state: str, reason: str, place: int = 0, is_thinking: bool = False, is_empty: bool = False
) -> str:
    """Return the sentence about where a reply stands; "" when its words speak for themselves."""
    match state:
        case JobState.WAITING:
            return WAITING if place < 1 else _describe_position(place)
        case JobState.WRITING:
            return THINKING if is_thinking else ""
        case JobState.STOPPED:
            return _describe_partial(STOPPED, is_empty=is_empty)
        case JobState.INTERRUPTED:
            return _describe_partial(_INTERRUPTED.get(reason, _INTERRUPTED["crashed"]), is_empty=is_empty)
        case JobState.FAILED:
            said = _FAILED.get(reason) or get_message(reason)
            return said.replace("What came is kept", "Nothing had come yet") if is_empty else said
    return LENGTH_REACHED if reason == "length" else ""


def _describe_partial(why: str, *, is_empty: bool) -> str:
    return f"{why} {NOTHING_YET if is_empty else SAVED_SO_FAR}"


def _describe_position(place: int) -> str:
    if place == 1:
        return "Waiting for the model. You are next."
    others = "one other" if place == 2 else f"{place - 1} others"
    return f"Waiting for the model, after {others}."


def describe_job(job: Job) -> str:
    """Return the sentence about where a job stands."""
    if not job.is_saved:
        return NOT_SAVED
    return describe_state(
        state=job.state,
        reason=job.reason,
        place=job.position,
        is_thinking=job.is_thinking,
        is_empty=job.state not in LIVE_STATES and not job.text,
    )
