"""The summary of a trace for its page, with a sentence about its state."""

from dataclasses import dataclass

from django.utils.safestring import SafeString

from diary.generation.job_status import describe_job
from diary.rendering.page_texts import render_page_text
from llamora.inference import model_server
from llamora.inference.job import Job, JobState
from llamora.inference.messages import describe_author
from traces import messages
from traces.access import get_trace
from traces.models import Trace
from traces.summaries.services import TraceSummary, get_summary, get_summary_job


@dataclass(frozen=True, kw_only=True)
class SummaryView:
    """Template data of a trace's summary. `note` is a sentence about the summary's state.

    `button_label` is empty if there is no button.
    """

    html: SafeString
    note: str
    written_by: str
    button_label: str
    is_making: bool


def build_summary_view(trace: Trace) -> SummaryView:
    """Return the summary of a trace for its page."""
    job = get_summary_job(trace)
    is_making = job is not None and not job.is_over
    # Read again, and after the job: one that has just ended has saved something since the trace was loaded.
    summary = get_summary(get_trace(trace.owner_id, trace.id) if job is not None else trace)
    return SummaryView(
        html=render_page_text(summary.text, has_links=False) if summary else SafeString(),
        note=_get_note(summary, job),
        written_by=describe_author(summary.author) if summary else "",
        button_label="" if is_making else _get_button_label(summary),
        is_making=is_making,
    )


def _get_button_label(summary: TraceSummary | None) -> str:
    if not model_server.get_status().is_ready:
        return ""
    if summary is None:
        return messages.SUMMARIZE
    return messages.SUMMARIZE_AGAIN if summary.is_stale else ""


def _get_note(summary: TraceSummary | None, job: Job | None) -> str:
    if job is not None and job.state != JobState.DONE:
        return describe_job(job) or messages.SUMMARIZING
    if summary is not None and summary.is_stale:
        return messages.SUMMARY_STALE
    if summary is not None and summary.read < summary.of:
        return messages.SUMMARY_OF_LATEST.format(read=summary.read, of=summary.of)
    return ""
