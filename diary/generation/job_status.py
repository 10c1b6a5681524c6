"""The state of a job in a sentence, for pages and tabs."""

from diary import messages
from llamora.inference.job import LIVE_STATES, Job, JobState
from llamora.inference.messages import NOTHING_WRITTEN, PARTIAL_SAVED, get_message


def describe_state(
    *,
    state: str,
    reason: str,
    position: int = 0,
    entries_read: int = 0,
    is_thinking: bool = False,
    is_empty: bool = False,
) -> str:
    """Return a status sentence for a generated text, or an empty string if its state needs no explanation."""
    match state:
        case JobState.WAITING:
            return messages.JOB_WAITING if position < 1 else _describe_position(position)
        case JobState.WRITING:
            return messages.JOB_THINKING if is_thinking else messages.get_reading_message(entries_read)
        case JobState.STOPPED:
            return _describe_partial(messages.JOB_STOPPED, is_empty=is_empty)
        case JobState.INTERRUPTED:
            sentences = messages.JOB_INTERRUPTED
            return _describe_partial(sentences.get(reason, sentences["crashed"]), is_empty=is_empty)
        case JobState.FAILED:
            sentence = messages.JOB_FAILED.get(reason) or get_message(reason)
            return sentence.replace(PARTIAL_SAVED, NOTHING_WRITTEN) if is_empty else sentence
    return messages.JOB_LENGTH_REACHED if reason == "length" else ""


def describe_job(job: Job) -> str:
    """Return the status sentence for a job."""
    if not job.is_saved:
        return messages.JOB_NOT_SAVED
    return describe_state(
        state=job.state,
        reason=job.reason,
        position=job.position,
        entries_read=job.entries_read,
        is_thinking=job.is_thinking,
        is_empty=job.state not in LIVE_STATES and not job.text,
    )


def _describe_partial(sentence: str, *, is_empty: bool) -> str:
    return f"{sentence} {messages.JOB_NOTHING_WRITTEN if is_empty else messages.JOB_PARTIAL_SAVED}"


def _describe_position(position: int) -> str:
    return messages.JOB_NEXT if position == 1 else messages.get_waiting_message(position - 1)
