"""Tests of the page on which the administrator chooses, downloads and deletes models."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from accounts.models import Person
from llamora.inference import model_server
from llamora.inference.messages import REMOTE_NOTICE
from llamora.inference.model_choice import downloads, services
from llamora.inference.model_choice.errors import get_sentence
from llamora.inference.model_choice.selection import select_model
from llamora.inference.status import status_for_code
from tests.fakes.anthropic_server import FakeAnthropicServer
from tests.fakes.gguf_file import write_gguf
from tests.fakes.model_hub import FILE, REPOSITORY, FakeHub, Fault
from tests.fakes.model_server import FakeModelServer
from tests.fakes.waiting import PATIENCE, wait_for
from tests.page import HtmlNode, read
from tests.people import Resident, new_resident

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = "/settings/model/"


@pytest.fixture
def models(settings: Any, tmp_path: Path) -> Iterator[Path]:
    """The empty folder of models of a machine on which no server runs."""
    settings.DATA_DIR, settings.MODEL_USUAL_ADDRESSES = tmp_path, ()
    settings.MODEL_URL = settings.MODEL_FILE = settings.MODEL_NAME = ""
    previous = model_server._holder.replace(None)
    yield tmp_path / "models"
    downloads.downloads.cancel()
    assert downloads.downloads.wait(seconds=PATIENCE)
    downloads.downloads = services.downloads = downloads.BackgroundDownloads()
    model_server._holder.replace(previous)


@pytest.fixture
def administrator(db: None) -> Resident:
    resident = new_resident("Adam")
    Person.objects.filter(id=resident.id).update(is_staff=True)
    return resident


def get_page(person: Resident) -> HtmlNode:
    return read(person.get(PAGE))


def _is_counting() -> bool:
    progress = services.get_download_progress()
    return progress is not None and progress.total > 0


def press(person: Resident, act: str, **fields: str) -> HtmlNode:
    """Press a button, and return the page that follows."""
    answer = person.post(PAGE, act=act, **fields)
    return get_page(person) if answer.status_code == 302 else read(answer)


def test_without_a_model_it_says_what_to_do_on_this_very_page(
    models: Path, administrator: Resident, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_server, "get_status", lambda: status_for_code("none_found"))

    said = get_page(administrator).one("section[aria-labelledby=model-now]").text

    assert "Download one below, start llama.cpp" in said
    assert "Settings" not in said


def test_a_file_is_chosen_and_the_choice_withdrawn(models: Path, administrator: Resident) -> None:
    write_gguf(models / "heron.gguf")
    write_gguf(models / "tern.gguf")

    page = press(administrator, "choose_file", file=str(models / "tern.gguf"))

    assert "tern is chosen." in page.text
    assert page.values('button[value="choose_file"]', "aria-label") == ["Use heron"]
    assert select_model(services._get_config()).file == models / "tern.gguf"
    assert "Nothing is chosen now" in press(administrator, "choose_nothing").text
    assert not select_model(services._get_config()).file


def test_a_file_elsewhere_is_named_by_its_path(models: Path, administrator: Resident, tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "elsewhere" / "heron.gguf")

    missing = press(administrator, "choose_path", file="/nowhere/heron.gguf")
    page = press(administrator, "choose_path", file=str(path))

    assert missing.one("[data-error]").text == get_sentence("no_file_at", path="/nowhere/heron.gguf")
    assert missing.one("#model-path").get("value") == "/nowhere/heron.gguf"
    # The field has the focus, so its error stands beside it and not at the top of a long page.
    assert missing.one("#model-path-error").text == missing.one("[data-error]").text
    assert "heron is chosen." in page.text


def test_a_file_is_deleted_after_a_second_press(models: Path, administrator: Resident) -> None:
    path = write_gguf(models / "heron.gguf")
    write_gguf(models / "tern.gguf")
    press(administrator, "choose_file", file=str(models / "tern.gguf"))
    button = get_page(administrator).one('details button[aria-label="Delete heron"]')

    page = press(administrator, button.get("value"), file="heron")

    assert "The file is deleted." in page.text
    assert not path.exists()


def test_a_damaged_file_says_so_and_cannot_be_chosen(models: Path, administrator: Resident) -> None:
    write_gguf(models / "half.gguf", b"GGUF")

    page = get_page(administrator)

    assert "This model file" in page.text
    assert not page.has('button[value="choose_file"][aria-label]')


def test_a_model_is_downloaded_with_its_progress_and_cancelled(
    models: Path, administrator: Resident, settings: Any
) -> None:
    with FakeHub() as hub:
        settings.MODEL_HUB = hub.url
        hub.faults.append(Fault(wait_after=100))
        press(administrator, "download", name=f"{REPOSITORY}/{FILE}")
        assert hub.waiting.wait(PATIENCE)
        wait_for(_is_counting)

        page, part = get_page(administrator), administrator.client.get(PAGE, headers={"HX-Request": "true"})
        refused = press(administrator, "download", name=f"{REPOSITORY}/{FILE}")
        press(administrator, "cancel")
        assert downloads.downloads.wait(seconds=PATIENCE)
        hub.release.set()
        last = administrator.client.get(PAGE, headers={"HX-Request": "true"})
        after = get_page(administrator)

    assert FILE in page.one("#model-download").text
    assert page.one("#model-download").get("hx-get") == PAGE
    assert read(part).one("#model-download").has('button[value="cancel"]')
    assert "<html" not in part.content.decode()
    # The page has other buttons after the download, so it is loaded again.
    assert ("HX-Refresh" in part, last["HX-Refresh"]) == (False, "true")
    assert f"Downloading {FILE}. 0 % of 0.0 MB." in " ".join(page.one("#model-download").text.split())
    assert refused.one("[data-error]").text == get_sentence("already_running")
    assert get_sentence("cancelled") in after.one("#model-download").text
    assert "hx-get" not in after.one("#model-download").attributes


def test_a_finished_download_is_not_named_once_its_file_is_deleted(
    models: Path, administrator: Resident, settings: Any
) -> None:
    with FakeHub() as hub:
        settings.MODEL_HUB = hub.url
        press(administrator, "download", name=f"{REPOSITORY}/{FILE}")
        assert downloads.downloads.wait(seconds=PATIENCE)
    before = get_page(administrator)
    (models / FILE).unlink()

    assert f"{FILE} is downloaded." in before.one("#model-download").text
    assert not get_page(administrator).has("#model-download")


def test_a_model_of_a_server_is_chosen(models: Path, administrator: Resident, settings: Any) -> None:
    with FakeModelServer(kind="Ollama", model="heron", also=("tern",)) as server:
        settings.MODEL_USUAL_ADDRESSES = (server.url,)

        page = press(administrator, "choose_server", url=server.url, model="tern")

    assert "The server is chosen." in page.text
    assert page.values('button[value="choose_server"]', "aria-label") == ["Use heron"]


def test_a_server_on_another_machine_is_said_to_be_one(
    models: Path, administrator: Resident, settings: Any
) -> None:
    settings.MODEL_ALLOW_REMOTE = True
    with FakeModelServer() as server:
        # This machine by an address that is not known to be its own.
        settings.MODEL_USUAL_ADDRESSES = (server.url, server.url.replace("127.0.0.1", "0.0.0.0"))

        there, here = get_page(administrator).texts("#model-servers ~ ul > li")

    assert sorted(REMOTE_NOTICE in line for line in (here, there)) == [False, True]


def test_a_server_is_chosen_by_its_address_and_format(models: Path, administrator: Resident) -> None:
    typed = {"url": "http://models.example/", "model": "heron", "format": "anthropic"}
    refused = press(administrator, "choose_address", **typed)
    with FakeAnthropicServer(model="heron") as server:
        page = press(administrator, "choose_address", **{**typed, "url": server.url})

    assert refused.one("#server-url-error").text == get_sentence("remote_not_allowed")
    assert refused.one("#server-url").get("value") == typed["url"]
    assert refused.values("#server-format option[selected]", "value") == ["anthropic"]
    assert "The server is chosen." in page.text
    assert page.values('button[value="choose_server"]', "aria-label") == []
    assert "Anthropic at" in page.text
    selection = select_model(services._get_config())
    assert (selection.url, selection.model, selection.wire_format) == (server.url, "heron", "anthropic")
    unknown = press(administrator, "choose_address", **{**typed, "url": server.url, "format": "grpc"})
    assert unknown.one("#server-url-error").text == get_sentence("unknown_format")


def test_what_the_format_of_the_server_does_not_know_is_said(
    models: Path, administrator: Resident, settings: Any
) -> None:
    settings.MODEL_SAMPLING = {"temperature": 0.7, "min_p": 0.1}
    Person.objects.filter(id=administrator.id).update(sampling={"xtc_threshold": 0.1})
    administrator.set_preferences(sampling={"xtc_threshold": 0.1})
    status = replace(model_server.get_status(), state="ready", wire_format="anthropic")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model_server, "get_status", lambda: status)
        page, preferences = get_page(administrator), read(administrator.get("/settings/"))

    sentence = "does not know these parameters, or not with these values, so they are left out: "
    assert f"{sentence}min_p." in page.one("#model-now ~ p.help").text
    assert f"{sentence}xtc_threshold." in preferences.one('section[aria-labelledby="sampling"]').text


def test_a_setting_that_decides_is_named_and_nothing_can_be_chosen(
    models: Path, administrator: Resident, settings: Any
) -> None:
    write_gguf(models / "heron.gguf")
    with FakeModelServer() as server:
        settings.MODEL_URL = server.url
        page = get_page(administrator)
        refused = press(administrator, "choose_path", file="heron")

    assert "It is set by LLAMORA_MODEL_URL." in page.text
    assert "is used at once" not in page.text
    assert not page.has('button[value="choose_file"]')
    assert refused.one("[data-error]").text == get_sentence("set_elsewhere", setting="LLAMORA_MODEL_URL")


def test_every_form_carries_the_token_and_its_person(models: Path, administrator: Resident) -> None:
    write_gguf(models / "heron.gguf")

    forms = get_page(administrator).all(f'form[action="{PAGE}"]')

    assert len(forms) > 5
    for form in forms:
        assert form.one('[name="csrfmiddlewaretoken"]').get("value")
        assert form.one('[name="owner"]').get("value") == str(administrator.id)


def test_others_have_no_such_page(models: Path, owner: Resident) -> None:
    path = write_gguf(models / "heron.gguf")

    assert owner.get(PAGE).status_code == 404
    assert owner.post(PAGE, act="remove_file", file="heron").status_code == 404
    assert path.exists()
