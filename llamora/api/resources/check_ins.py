"""The call that runs one check-in, in which the model reads the standing requests of the diary's owner.

It corresponds to the heartbeat of LocalGPT.
"""

from typing import Final, Literal
from uuid import UUID

import msgspec
from django.utils import timezone

from accounts.errors import InvalidToken
from llamora.api.call import Call
from llamora.api.endpoints import endpoint
from llamora.api.errors import ApiError
from llamora.inference.job import JobState
from search import messages
from search.ask.errors import LOCKED
from search.checkins import services
from search.checkins.presenters import ProposalView, build_proposal, describe_end
from search.checkins.services import CheckInResult

_TAG: Final = "Check-ins"
_RETRY_AFTER: Final = {"Retry-After": "5"}
_NOTHING: Final = "The model had nothing to propose, or nothing that it did not propose within the last day."
_PROPOSED: Final = "What was proposed waits on today's page, where its owner decides about it."


class CheckInProposalBody(msgspec.Struct, kw_only=True):
    """A text that the model proposes for a standing request, with the words of the diary it is based on."""

    id: UUID
    request: str
    text: str
    quotes: list[str]


class CheckInBody(msgspec.Struct, kw_only=True):
    """Result of a check-in; `message` is a sentence about it.

    `status` is "proposed", "nothing", "unreadable" if the model's output could not be parsed, or
    "no_requests" if no standing request is open. In the last case no model runs and `model` is null.
    """

    status: Literal["proposed", "nothing", "unreadable", "no_requests"]
    message: str
    model: str | None
    proposals: list[CheckInProposalBody]


@endpoint("POST", "/api/heartbeat", scopes=("chat",), tag=_TAG)
def check_in(call: Call) -> CheckInBody:
    """Let the model check the standing requests once, and wait for its proposals.

    The model reads the requests in the note HEARTBEAT.md and the texts that the owner wrote, and no others.
    It runs on this machine only, and also while scheduled check-ins are off. Nothing is changed: the
    proposals are shown on today's page, where the owner accepts or declines them. The diary must be unlocked
    in a browser.
    """
    now = timezone.now()
    started = services.start_check_in(
        person=call.person,
        keyring=call.keyring,
        due_at=now,
        now=now,
        is_by_hand=True,
        is_by_program=True,
    )
    if started.problem == services.NO_REQUESTS:
        sentence = messages.CHECK_IN_PROBLEMS[services.NO_REQUESTS]
        return CheckInBody(status="no_requests", message=sentence, model=None, proposals=[])
    if started.job is None:
        raise _refuse(started.problem)
    result = services.wait_for_check_in(started.job)
    if call.is_revoked:
        raise InvalidToken
    if result.state != JobState.DONE:
        raise _refuse_end(result)
    views = [build_proposal(row) for row in result.proposals]
    call.record_read(len(services.list_read_entries(started.job)))
    return _describe(result, [view for view in views if view.text is not None])


def _describe(result: CheckInResult, views: list[ProposalView]) -> CheckInBody:
    proposals = [
        CheckInProposalBody(id=view.id, request=view.request, text=view.text or "", quotes=list(view.quotes))
        for view in views
    ]
    model = result.model or None
    if proposals:
        return CheckInBody(status="proposed", message=_PROPOSED, model=model, proposals=proposals)
    if result.reason:
        sentence = describe_end(result.state, result.reason)
        return CheckInBody(status="unreadable", message=sentence, model=model, proposals=[])
    return CheckInBody(status="nothing", message=_NOTHING, model=model, proposals=[])


def _refuse(problem: str) -> ApiError:
    """Return the refusal for a check-in that was not begun."""
    sentence = messages.CHECK_IN_PROBLEMS[problem]
    if problem == LOCKED:
        return ApiError(423, "locked")
    if problem == services.NOT_READY:
        return ApiError(503, "starting", headers=_RETRY_AFTER)
    if problem == services.MADE_ALREADY:
        return ApiError(503, "busy", message=sentence, headers=_RETRY_AFTER)
    return ApiError(503, "not_answered", message=sentence)


def _refuse_end(result: CheckInResult) -> ApiError:
    """Return the refusal for a check-in that was begun and not completed."""
    if result.reason == LOCKED:
        return ApiError(423, "locked")
    return ApiError(503, "not_answered", message=describe_end(result.state, result.reason))
