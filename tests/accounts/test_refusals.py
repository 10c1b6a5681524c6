"""Tests of refused requests: a sentence says why, and the typed text is shown again."""

from typing import Any

import pytest
from django.core.exceptions import RequestDataTooBig
from django.http import HttpResponse
from django.test import Client
from django.urls import path

from accounts import error_messages
from accounts.errors import AccountsError, RetryLater, TooManyAttempts
from accounts.http import error_views
from llamora import urls as house
from llamora.crypto import VaultLocked
from llamora.database import FenceRefused, NotWritten
from tests.people import BY_SCRIPT, Resident

TYPED = 'a "line" & <another>'
RAISED: list[Exception] = []


def raise_error(request: Any) -> HttpResponse:
    """Read the form, then raise the exception that the test has set."""
    request.POST.get("text")
    raise RAISED[-1]


urlpatterns = [*house.urlpatterns, path("breaks/", raise_error)]
handler400, handler404, handler500 = house.handler400, house.handler404, house.handler500

pytestmark = pytest.mark.urls("tests.accounts.test_refusals")


def post(error: Exception, *, script: bool, text: str = TYPED) -> Any:
    RAISED.append(error)
    return Client().post("/breaks/", {"text": text}, headers=BY_SCRIPT if script else {})


@pytest.mark.parametrize("code", ["disk_full", "read_only", "busy", "io"])
def test_a_write_that_failed_gives_a_plain_form_its_text_back(db: None, code: str) -> None:
    answer = post(NotWritten(code), script=False)

    page = answer.content.decode()
    assert answer.status_code == 503
    assert "nothing was saved" in page
    assert "a &#34;line&#34; &amp; &lt;another&gt;</textarea>" in page
    assert 'autocomplete="off"' in page


@pytest.mark.parametrize("code", ["disk_full", "read_only", "busy", "io"])
def test_a_write_that_failed_gives_script_a_sentence_and_leaves_the_page(db: None, code: str) -> None:
    answer = post(NotWritten(code), script=True)

    assert (answer.status_code, answer["HX-Reswap"]) == (503, "none")
    assert "nothing was saved" in answer.content.decode()
    assert "data-error" in answer.content.decode()
    assert "another" not in answer.content.decode()


def test_a_write_that_the_fence_refused_is_answered_like_a_lock(db: None) -> None:
    script, page = post(FenceRefused(), script=True), post(FenceRefused(), script=False)

    assert (script.status_code, script["HX-Trigger"]) == (401, "llamora:locked")
    assert page.status_code == 401
    assert "</textarea>" in page.content.decode()


def test_a_vault_that_locked_meanwhile_is_answered_like_a_lock(db: None) -> None:
    script, page = post(VaultLocked(), script=True), post(VaultLocked(), script=False)

    assert (script.status_code, script["HX-Trigger"]) == (401, "llamora:locked")
    assert "</textarea>" in page.content.decode()


def test_too_soon_says_when(db: None) -> None:
    answer = post(TooManyAttempts(7.2), script=True)

    assert (answer.status_code, answer["Retry-After"]) == (429, "8")
    assert "Wait 7 seconds" in answer.content.decode()


def test_every_code_has_its_sentence() -> None:
    def all_of(error: type[AccountsError]) -> list[type[AccountsError]]:
        return [error, *(found for child in error.__subclasses__() for found in all_of(child))]

    of_the_door = [error for error in all_of(AccountsError)[1:] if error.__module__ == "accounts.errors"]
    for error in of_the_door:
        made = error(3.0) if issubclass(error, RetryLater) else error()
        assert error_messages.get_error_message(made).endswith(".")


def test_a_stale_token_gives_the_text_back(db: None) -> None:
    client = Client(enforce_csrf_checks=True)

    page = client.post("/breaks/", {"text": TYPED})
    script = client.post("/breaks/", {"text": TYPED}, headers=BY_SCRIPT)

    assert page.status_code == script.status_code == 403
    assert "&lt;another&gt;</textarea>" in page.content.decode()
    assert "open too long" in script.content.decode()


def test_more_than_is_read_at_once_is_413(db: None, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000

    answer = Client().post("/breaks/", {"text": "x" * 2000})

    assert answer.status_code == 413
    assert b"data-error" in answer.content


@pytest.mark.parametrize("path", ["/no-such-page/", "/d/2026-02-30/", "/d/0000-00-00/"])
def test_what_is_not_there_gets_a_calm_page(owner: Resident, path: str) -> None:
    answer = owner.get(path)

    assert answer.status_code == 404
    assert b"data-error" in answer.content


def test_a_fault_of_ours_shows_nothing_of_itself(db: None, caplog: pytest.LogCaptureFixture) -> None:
    RAISED.append(ValueError("words of the diary"))

    answer = Client(raise_request_exception=False).post("/breaks/", {"text": TYPED})

    assert answer.status_code == 500
    assert b"words of the diary" not in answer.content
    assert b"Traceback" not in answer.content


def test_a_fault_of_ours_gives_a_plain_form_its_text_back(db: None) -> None:
    RAISED.append(ValueError("words of the diary"))

    answer = Client(raise_request_exception=False).post("/breaks/", {"text": TYPED})

    assert answer.status_code == 500
    assert answer["Cache-Control"] == "no-store"
    assert "a &#34;line&#34; &amp; &lt;another&gt;</textarea>" in answer.content.decode()


def test_a_fault_of_ours_tells_script_nothing_of_what_it_sent(db: None) -> None:
    RAISED.append(ValueError("words of the diary"))

    answer = Client(raise_request_exception=False).post("/breaks/", {"text": TYPED}, headers=BY_SCRIPT)

    assert answer.status_code == 500
    assert b"another" not in answer.content
    # The page has a sentence of its own for this: its words are still there.
    assert b"data-error" not in answer.content


def test_the_handlers_answer_by_themselves(rf: Any) -> None:
    request = rf.get("/")

    assert error_views.bad_request(request, RequestDataTooBig()).status_code == 413
    assert error_views.bad_request(request, ValueError()).status_code == 400
    refusal = error_views.permission_denied(request, ValueError())
    assert refusal.status_code == 403
    assert b"Nothing was changed." in refusal.content
    assert b"expired" not in refusal.content
    assert error_views.server_error(request).status_code == 500


def test_every_page_is_kept_by_nobody(owner: Resident) -> None:
    for where in ["/settings/", "/sign-in/", "/unlock/", "/recover/", "/no-such-page/"]:
        answer = owner.get(where)
        assert answer["Cache-Control"] == "no-store"
        assert "camera=()" in answer["Permissions-Policy"]


def test_a_name_that_is_not_listed_is_answered_with_the_settings_that_list_it(db: None) -> None:
    answer = Client().get("/", headers={"Host": "diary.home"})

    page = answer.content.decode()
    assert answer.status_code == 400
    assert "adds the name in your browser&#39;s address bar to LLAMORA_HOSTS" in page
    assert "LLAMORA_TRUSTED_ORIGINS needs it too" in page
    assert "diary.home" not in page


@pytest.mark.parametrize("headers", [{"Origin": "https://diary.home"}, {"Referer": "https://diary.home/"}])
def test_a_form_of_an_unknown_origin_names_the_setting_and_gives_the_text_back(
    db: None, headers: dict[str, str]
) -> None:
    client = Client(enforce_csrf_checks=True)

    answer = client.post("/d/2026-11-20/", {"text": TYPED}, headers=headers, secure="Referer" in headers)

    page = answer.content.decode()
    assert answer.status_code == 403
    assert "sets LLAMORA_TRUSTED_ORIGINS to the beginning of the address in your browser" in page
    assert "What you typed is still here." in page
    assert "another&gt;</textarea>" in page
