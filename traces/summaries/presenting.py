"""A trace's summary as its page shows it, with the words for where it stands."""

from dataclasses import dataclass

from django.utils.safestring import SafeString, mark_safe

from diary.rendering import render
from diary.replies.presenting import note_of_job
from llamora.inference import endpoint
from llamora.inference.jobs import Job, State
from traces.access import trace_of
from traces.models import Trace
from traces.summaries.services import Summary, job_of, kept

ASK, AGAIN = "Sum up these entries", "Sum up again"
STALE = "Its entries have changed since this was written."


@dataclass(frozen=True, kw_only=True)
class SummaryView:
    """What is kept, or the sentence in its place; `ask` is the word of the button, "" for none."""

    html: SafeString
    note: str
    ask: str
    is_making: bool


def summary_view(trace: Trace) -> SummaryView:
    """Return a trace's summary as it is shown."""
    job = job_of(trace)
    is_making = job is not None and not job.is_over
    # Only now, and read anew: a job that has just ended has kept something since the trace was read.
    there = kept(trace_of(trace.owner_id, trace.id) if job is not None else trace)
    return SummaryView(
        html=mark_safe(render(there.text) if there else ""),  # noqa: S308 - sanitised there
        note=_note(there, job),
        ask="" if is_making else _ask(there),
        is_making=is_making,
    )


def _ask(there: Summary | None) -> str:
    if not endpoint.status().is_ready:
        return ""
    if there is None:
        return ASK
    return AGAIN if there.is_stale else ""


def _note(there: Summary | None, job: Job | None) -> str:
    if job is not None and job.state != State.DONE:
        return note_of_job(job) or "Reading these entries."
    if there is not None and there.is_stale:
        return STALE
    if there is not None and there.read < there.of:
        return f"Written from the latest {there.read} of {there.of} entries."
    return ""
