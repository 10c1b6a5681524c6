"""The status line of the language model on a day page: its name, its machine, any problem, and waiting jobs.

An open tab receives each part of the line again when the part changes. A part is an element with the id
"reply-..." in a container of the page, so that the script for replies shows it too.
"""

from collections.abc import Mapping
from datetime import date

from django.template.loader import render_to_string

from accounts.models import Person
from accounts.remote_hosts.services import find_refusal
from diary import messages
from llamora.inference import model_server
from llamora.inference.messages import get_situation
from llamora.inference.registry import registry
from llamora.inference.status import ModelStatus

STATUS_TEMPLATE, QUEUE_TEMPLATE = "diary/fragments/model_status.html", "diary/fragments/model_queue.html"


def build_page_status_line(person: Person, day: date) -> dict[str, object]:
    """Return the template context of the model's status line when a page is loaded.

    If the model runs on another machine, `remote_host` is the name of that machine. Unlike
    `build_model_status_line`, which open tabs call often, this function reads the database.
    """
    host = model_server.get_status().host
    return {
        **build_model_status_line(person, day),
        "remote_host": host,
        "has_agreed": bool(host) and not find_refusal(person.id, host),
    }


def build_model_status_line(person: Person, day: date) -> dict[str, object]:
    """Return the template context of the model's status line, as an open tab receives it."""
    status = model_server.get_status()
    has_notice = status.code == "none_found" and not person.hides_model_notice
    return {
        "day": day,
        "person": person,
        "model_sentence": "" if has_notice else _get_sentence(status, person),
        "has_model_notice": has_notice,
        "is_model_away": status.state == "away",
        "model_queue": messages.get_queue_message(*registry.count_queue()),
    }


def render_parts(person: Person, day: date) -> Mapping[str, str]:
    """Return the parts of the model's status line: a dict from the id of an HTML element to its content."""
    context = build_model_status_line(person, day)
    return {
        "model-status": render_to_string(STATUS_TEMPLATE, context).strip(),
        "model-queue": render_to_string(QUEUE_TEMPLATE, context).strip(),
    }


def _get_sentence(status: ModelStatus, person: Person) -> str:
    if status.is_ready:
        return status.get_message_for(person.model)
    if status.state == "loading":
        return get_situation(status.code)
    # Whoever has dismissed the notice does not need it in other words.
    if status.state != "away" or status.code == "none_found":
        return ""
    return f"{get_situation(status.code)} {messages.MODEL_CHECKED_AGAIN}"
