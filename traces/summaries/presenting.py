"""A trace's summary as its page shows it, with the words for where it stands."""

from dataclasses import dataclass

from django.utils.safestring import SafeString, mark_safe

from diary.rendering import render
from diary.replies.presenting import note_of_job
from llamora.inference import endpoint
from llamora.inference.job import State
from traces.models import Trace
from traces.summaries.services import job_of, kept

ASK, AGAIN = "Sum up these entries", "Sum up again"


@dataclass(frozen=True, kw_only=True)
class SummaryView:
    """What is kept, or the sentence in its place; `ask` is the word of the button, "" for none."""

    html: SafeString
    note: str
    ask: str
    is_making: bool


def summary_view(trace: Trace) -> SummaryView:
    """Return a trace's summary as it is shown."""
    there, job = kept(trace), job_of(trace)
    is_making = job is not None and not job.is_over
    html = render(there.text) if there else ""
    status = endpoint.status()
    ask = (
        ""
        if is_making or not status.is_ready
        else AGAIN
        if there and there.is_stale
        else ""
        if there
        else ASK
    )
    note = ""
    if job is not None and (is_making or job.state != State.DONE):
        note = note_of_job(job) or "Reading these entries."
    elif there and there.is_stale:
        note = "Its entries have changed since this was written."
    elif there and there.read < there.of:
        note = f"Written from the latest {there.read} of {there.of} entries."
    return SummaryView(html=mark_safe(html), note=note, ask=ask, is_making=is_making)  # noqa: S308 - sanitised there
