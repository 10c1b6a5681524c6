"""Views of Ask: the list of conversations, one conversation, and their forms.

A question is sent by POST, so that it is in no URL and no log. All works without script: a form returns to
the page of its conversation.
"""

from typing import Any, Final
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from accounts.decorators import unlock_required
from accounts.http.request import HouseholdRequest
from diary.errors import ObjectNotFound
from llamora.inference import model_server
from llamora.inference.registry import registry
from search import messages
from search.ask import presenters, services
from search.ask.conversations import list_conversations, load_questions
from search.ask.errors import AskRefused, IndexNotReady, QuestionInvalid
from search.ask.section import render_answer
from search.errors import IndexClosed
from search.index.registry import indexes
from search.models import Question

PAGE_SIZE: Final = 30


@require_http_methods(["GET", "HEAD", "POST"])
@unlock_required
def ask(request: HouseholdRequest) -> HttpResponse:
    """Show the conversations, or ask the first question of a new one."""
    return _ask(request, None) if request.method == "POST" else _render_list(request)


@require_http_methods(["GET", "HEAD", "POST"])
@unlock_required
def conversation(request: HouseholdRequest, session_id: UUID) -> HttpResponse:
    """Show a conversation, or ask its next question."""
    if request.method == "POST":
        return _ask(request, session_id)
    return _render_conversation(request, session_id)


def _ask(request: HouseholdRequest, session_id: UUID | None) -> HttpResponse:
    text = request.POST.get("text", "")
    if session_id is not None:
        # First, so that another person's conversation takes as long as one that is not there.
        load_questions(request.user.id, session_id, reads_untrusted=True)
    try:
        # A program may not open the index; its owner's page may.
        indexes.for_owner(request.vault.keyring)
        asked = services.ask(
            person=request.user, keyring=request.vault.keyring, question=text, session_id=session_id
        )
    except IndexClosed:
        return _refuse(request, session_id, messages.ASK_REFUSED["opening"], text=text, status=503)
    except AskRefused as refused:
        status = 422 if isinstance(refused, QuestionInvalid) else 429
        return _refuse(
            request,
            session_id,
            messages.ASK_REFUSED[refused.code],
            text=text,
            status=503 if isinstance(refused, IndexNotReady) else status,
        )
    return _redirect_to_answer(asked.session_id, asked.id)


def _refuse(
    request: HouseholdRequest, session_id: UUID | None, sentence: str, *, text: str, status: int
) -> HttpResponse:
    """Show the page again with what was typed and why it was not asked."""
    typed = {"error": sentence, "typed": text}
    if session_id is None:
        return _render_list(request, typed=typed, status=status)
    return _render_conversation(request, session_id, typed=typed, status=status)


def _redirect_to_answer(session_id: UUID, question_id: UUID) -> HttpResponse:
    return redirect(f"{reverse('conversation', args=[session_id])}#question-{question_id}")


def _render_list(
    request: HouseholdRequest, *, typed: dict[str, str] | None = None, status: int = 200
) -> HttpResponse:
    page = Paginator(list_conversations(request.user.id), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"page": page, "conversations": list(page), **_build_form_context(), **(typed or {})}
    return render(request, "search/ask.html", context, status=status)


def _render_conversation(
    request: HouseholdRequest,
    session_id: UUID,
    *,
    typed: dict[str, str] | None = None,
    status: int = 200,
) -> HttpResponse:
    first = load_questions(request.user.id, session_id, reads_untrusted=True)[0]
    context = {
        "session_id": session_id,
        "name": first.open_or("name", None) or "",
        "questions": presenters.build_conversation_view(request.user, session_id),
        **_build_form_context(),
        **(typed or {}),
    }
    return render(request, "search/conversation.html", context, status=status)


def _build_form_context() -> dict[str, Any]:
    return {
        "in_ask": True,
        "most": services.MAX_QUESTION_LENGTH,
        "most_of_name": services.MAX_NAME_LENGTH,
        "has_model": not model_server.get_status().is_missing,
    }


@require_POST
@unlock_required
def rename(request: HouseholdRequest, session_id: UUID) -> HttpResponse:
    """Set or remove the name of a conversation."""
    try:
        services.rename_conversation(request.user.id, session_id, request.POST.get("text", ""))
    except QuestionInvalid as refused:
        sentence = messages.NAME_REFUSED[refused.code]
        typed = {"name_error": sentence, "typed_name": request.POST.get("text", "")}
        return _render_conversation(request, session_id, typed=typed, status=422)
    return redirect("conversation", session_id)


@require_POST
@unlock_required
def delete(request: HouseholdRequest, session_id: UUID) -> HttpResponse:
    """Delete a conversation."""
    services.delete_conversation(request.user.id, session_id)
    return redirect("ask")


@require_POST
@unlock_required
def stop(request: HouseholdRequest, question_id: UUID) -> HttpResponse:
    """Stop an answer and show its text so far."""
    row = Question.objects.filter(owner_id=request.user.id, id=question_id).first()
    if row is None:
        raise ObjectNotFound
    registry.stop(question_id)
    if not request.htmx:
        return _redirect_to_answer(row.session_id, question_id)
    view = presenters.build_answer_view(row, language=request.user.language)
    return HttpResponse(render_answer(view, owner_id=request.user.id))
