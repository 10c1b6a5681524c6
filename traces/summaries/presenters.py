"""A trace's summary as its page shows it, with the words for where it stands."""

from dataclasses import dataclass

from django.utils.safestring import SafeString, mark_safe

from diary.generation.job_status import describe_job
from diary.rendering.markdown import render_markdown
from llamora.inference import model_server
from llamora.inference.job import Job, JobState
from traces.access import get_trace
from traces.models import Trace
from traces.summaries.services import TraceSummary, get_summary, get_summary_job

ASK_LABEL, ASK_AGAIN_LABEL = "Sum up these entries", "Sum up again"
STALE_NOTE = "Its entries have changed since this was written."


@dataclass(frozen=True, kw_only=True)
class SummaryView:
    """What is kept, or the sentence in its place; `ask` is the word of the button, "" for none."""

    html: SafeString
    note: str
    ask: str
    is_making: bool


def build_summary_view(trace: Trace) -> SummaryView:
    """Return a trace's summary as it is shown."""
    job = get_summary_job(trace)
    is_making = job is not None and not job.is_over
    # Only now, and read anew: a job that has just ended has kept something since the trace was read.
    there = get_summary(get_trace(trace.owner_id, trace.id) if job is not None else trace)
    return SummaryView(
        html=mark_safe(render_markdown(there.text) if there else ""),  # noqa: S308 - sanitised there
        note=_get_note(there, job),
        ask="" if is_making else _get_button_label(there),
        is_making=is_making,
    )


def _get_button_label(there: TraceSummary | None) -> str:
    if not model_server.get_status().is_ready:
        return ""
    if there is None:
        return ASK_LABEL
    return ASK_AGAIN_LABEL if there.is_stale else ""


def _get_note(there: TraceSummary | None, job: Job | None) -> str:
    if job is not None and job.state != JobState.DONE:
        return describe_job(job) or "Reading these entries."
    if there is not None and there.is_stale:
        return STALE_NOTE
    if there is not None and there.read < there.of:
        return f"Written from the latest {there.read} of {there.of} entries."
    return ""
