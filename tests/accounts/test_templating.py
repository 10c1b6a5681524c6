"""Tests of functions that templates call: URLs and form fields."""

import re
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from django.http import HttpRequest
from django.middleware import csrf
from django.template.backends.utils import csrf_input
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


def test_each_page_has_another_token_that_django_accepts() -> None:
    secret = csrf._get_new_csrf_string()
    tokens = []

    for _ in range(60):
        request = HttpRequest()
        request.META["CSRF_COOKIE"] = secret
        head, token, tail = re.split("([A-Za-z0-9]{64})", f"{CsrfInput(request)}")
        tokens.append(token)
        assert re.split("[A-Za-z0-9]{64}", csrf_input(request)) == [head, tail]
        assert request.META["CSRF_COOKIE_NEEDS_UPDATE"]
        assert csrf._does_token_match(token, secret)

    assert len(set(tokens)) == len(tokens)
    assert {character for token in tokens for character in token[:32]} == set(csrf.CSRF_ALLOWED_CHARS)


def test_the_url_of_a_static_file_is_that_of_the_storage_in_use(settings: Any) -> None:
    first = get_static_url("icon.svg")
    another = {**settings.STORAGES["staticfiles"], "OPTIONS": {"base_url": "/elsewhere/"}}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": another}

    assert [first, get_static_url("icon.svg")] == ["/static/icon.svg", "/elsewhere/icon.svg"]
