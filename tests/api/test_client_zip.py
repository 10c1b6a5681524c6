"""Tests of the client as a zip file: served without a token, and described so in the API description."""

import io
import zipfile

from django.test import Client

from llamora.api.openapi import build_description
from llamora.client.bundle import build_zip


def test_anyone_gets_the_client() -> None:
    answer = Client().get("/api/client.zip")

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/zip")
    assert answer.content == build_zip()
    assert answer.headers["Content-Disposition"] == 'attachment; filename="client.zip"'
    with zipfile.ZipFile(io.BytesIO(answer.content)) as file:
        assert file.testzip() is None
        assert {"__main__.py", "LICENSE", "llamora/client/commands/runner.py"} <= set(file.namelist())
        assert not [name for name in file.namelist() if not name.startswith("llamora/")][2:]


def test_the_description_says_that_it_is_a_zip_for_everybody() -> None:
    call = build_description()["paths"]["/api/client.zip"]["get"]

    assert call["security"] == []
    assert list(call["responses"]["200"]["content"]) == ["application/zip"]


def test_a_token_in_its_address_is_refused() -> None:
    assert Client().get("/api/client.zip", {"token": "llamora_x"}).status_code in (403, 422)
