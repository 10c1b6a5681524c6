"""Tests of functions that templates call: URLs and form fields."""

from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from django.http import HttpRequest
from django.urls import reverse

from accounts.context_processors import CsrfInput
from accounts.templating.environment import get_static_url, get_url


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("today", ()),
        ("entry", (uuid4(),)),
        ("trace_remove", (uuid4(), uuid4())),
        ("reply_kind_delete", (uuid4(), uuid4())),
        ("day", (date(987, 6, 5),)),
        ("calendar", (date(2026, 3, 9),)),
        ("year", (2026,)),
        ("on_this_day", (date(2026, 3, 9),)),
    ],
)
def test_a_url_in_a_template_is_that_of_the_view(name: str, arguments: tuple[object, ...]) -> None:
    assert [get_url(name, *arguments) for _ in range(2)] == 2 * [reverse(name, args=arguments)]


def test_the_field_of_forms_is_made_once_and_only_for_a_form() -> None:
    request = HttpRequest()
    field = CsrfInput(request)
    before = dict(request.META)

    assert (before, f"{field}") == ({}, field.__html__())
    assert "CSRF_COOKIE" in request.META


def test_the_url_of_a_static_file_is_that_of_the_storage_in_use(settings: Any) -> None:
    first = get_static_url("icon.svg")
    another = {**settings.STORAGES["staticfiles"], "OPTIONS": {"base_url": "/elsewhere/"}}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": another}

    assert [first, get_static_url("icon.svg")] == ["/static/icon.svg", "/elsewhere/icon.svg"]
