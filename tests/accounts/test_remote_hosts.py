"""Tests that only texts of people who agreed are sent to another machine, and that API keys leak nowhere."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from accounts.remote_hosts import services
from accounts.remote_hosts.services import HostRefused, find_refusal, list_hosts
from accounts.rotation import services as rotation_services
from accounts.rotation.background import stop_rotation_threads
from accounts.rotation.epoch_change import begin_rotation
from diary.generation.unique_jobs import get_or_start_job
from diary.models import Reply
from diary.replies.reply_kinds import DEFAULT_CHOICE
from diary.replies.services import _build_task
from diary.replies.tasks import ReplyTask
from llamora.crypto import Realm, in_force
from llamora.fields import new_id
from llamora.inference import model_server
from llamora.inference.messages import get_message
from llamora.inference.registry import registry
from tests.accounts.test_export_page import request_export, unzip
from tests.diary.tabs import ServingLoop, run_serving_loop, start_reply, wait_for_reply_row
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import make_unending
from tests.fakes.waiting import PATIENCE
from tests.leaks.encodings import get_core, new_marker
from tests.leaks.sweep import Place, list_column_values, sweep
from tests.page import HtmlNode, read
from tests.people import Resident, register_resident

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = "/settings/other-machines/"
# Every address of this machine, and so none that is its own alone.
HOST = "0.0.0.0"
KEY = "sk-own-key"


@pytest.fixture
def elsewhere(model: FakeModelServer, settings: Any) -> Iterator[ServingLoop]:
    """A serving loop whose model counts as one on another machine, with a key of the household."""
    settings.MODEL_ALLOW_REMOTE, settings.MODEL_API_KEY = True, "sk-household"
    with run_serving_loop(model.url.replace("127.0.0.1", HOST)) as live:
        yield live


def get_page(person: Resident) -> HtmlNode:
    return read(person.get(PAGE))


def press(person: Resident, act: str, host: str = HOST, **fields: str) -> HtmlNode:
    answer = person.post(PAGE, **{"act": act, "host": host, "current": person.password, **fields})
    return get_page(person) if answer.status_code == 302 else read(answer)


def ask_for_reply(person: Resident) -> tuple[str, str, str]:
    """Write an entry and ask for a reply; return the text, state and reason of its row."""
    return wait_for_reply_row(person, start_reply(person, person.write("Tea with Anna.").id))


def get_keys_sent(model: FakeModelServer) -> list[str]:
    return [one.headers["authorization"] for one in model.requests if one.path == "/v1/chat/completions"]


# --- Consent ----------------------------------------------------------------------------------------------


def test_nothing_is_sent_before_its_owner_agreed_and_all_is_said(
    elsewhere: ServingLoop, model: FakeModelServer, owner: Resident, housemate: Resident
) -> None:
    entry = owner.write("Tea with Anna.")

    refused = owner.post(f"/entries/{entry.id}/respond/", script=True)
    day = read(owner.get(f"/d/{owner.today}/"))

    assert model.calls == []
    assert get_message("no_consent") in refused.content.decode()
    assert not Reply.objects.exists()
    assert f"Nothing of yours is sent to {HOST} before you agree." in day.one("#texts-go").text
    assert day.one("#texts-go").values("a", "href") == [PAGE]

    page = press(owner, "agree")

    assert f"Your texts may be sent to {HOST} from now on." in page.text
    assert page.has('button[value="withdraw"]')
    assert "as you agreed" in read(owner.get(f"/d/{owner.today}/")).one("#texts-go").text
    assert ask_for_reply(owner)[1] == "done"
    assert len(model.calls) == 1
    # One person's consent is nobody else's.
    assert "before you agree" in read(housemate.get(f"/d/{housemate.today}/")).one("#texts-go").text
    assert get_page(housemate).has('button[value="agree"]')


def test_a_consent_is_withdrawn_at_any_time_also_while_a_reply_is_written(
    elsewhere: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    press(owner, "agree")
    press(owner, "save_key", key=KEY)
    model.add_scripts(make_unending())
    reply = start_reply(owner, owner.write("Tea with Anna.").id)
    assert model.wait_for_calls(1)

    page = press(owner, "withdraw")

    _, state, reason = wait_for_reply_row(owner, reply)
    assert (state, reason) == ("interrupted", "consent_withdrawn")
    assert model.wait_for_hang_up()
    assert page.has('button[value="agree"]')
    with owner.unlocked():
        assert list_hosts(owner.id) == []
    assert owner.post(f"/entries/{owner.write('More.').id}/respond/", script=True).status_code != 200
    assert len(model.calls) == 1


def test_a_reply_that_waits_is_not_sent_once_the_consent_is_gone(
    elsewhere: ServingLoop, model: FakeModelServer, owner: Resident, housemate: Resident
) -> None:
    for person in (owner, housemate):
        press(person, "agree")
    model.manners.slots = 1
    elsewhere.run(model_server.stop())
    elsewhere.run(model_server.discover())
    model.add_scripts(make_unending())
    first = start_reply(housemate, housemate.write("Long.").id)
    assert model.wait_for_calls(1)
    waiting = start_reply(owner, owner.write("Tea with Anna.").id)

    press(owner, "withdraw")
    housemate.post(f"/replies/{first}/stop/", script=True)

    assert wait_for_reply_row(owner, waiting)[1:] == ("failed", "no_consent")
    assert len(model.calls) == 1


def test_what_was_begun_on_this_machine_is_sent_to_no_other(
    model: FakeModelServer, owner: Resident, housemate: Resident, settings: Any, transactional_db: None
) -> None:
    settings.MODEL_ALLOW_REMOTE = True
    with FakeModelServer(make_unending(), slots=1) as here, run_serving_loop(here.url) as live:
        first = start_reply(housemate, housemate.write("Long.").id)
        assert here.wait_for_calls(1)
        waiting = start_reply(owner, owner.write("Tea with Anna.").id)
        with owner.unlocked():
            services.agree(owner.id, HOST, on=owner.today)
        settings.MODEL_URL = model.url.replace("127.0.0.1", HOST)
        live.run(model_server.stop())
        live.run(model_server.discover())
        assert model_server.get_status().host == HOST

        housemate.post(f"/replies/{first}/stop/", script=True)

        assert wait_for_reply_row(owner, waiting)[1:] == ("failed", "moved")
        assert model.calls == []
        # Asked for now, it is sent there: its owner has agreed to this machine.
        assert ask_for_reply(owner)[1] == "done"


def test_a_program_can_have_nothing_sent(
    elsewhere: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    press(owner, "agree")
    entry = owner.write("Tea with Anna.")
    with owner.unlocked():
        task = _build_task(new_id(), person=owner.person, entry_id=entry.id, choice=DEFAULT_CHOICE)
    bundle = owner.keyring.restrict({Realm.CONTENT})

    with in_force(bundle):
        assert find_refusal(owner.id, HOST) == "remote_by_program"
        job = get_or_start_job(
            ReplyTask, task.id, lambda: task, person=owner.person, keyring=bundle, is_requested=True
        )
    assert job is not None
    assert registry.wait_until_over(job.id, patience=PATIENCE)

    assert (job.state, job.reason) == ("failed", "remote_by_program")
    assert model.calls == []


def test_a_page_of_before_changes_nothing_for_another_machine(
    elsewhere: ServingLoop, owner: Resident
) -> None:
    for act in ("agree", "save_key"):
        page = press(owner, act, host="models.example", key=KEY)

        assert page.one("[data-error]").text == str(HostRefused("other_host"))
    with owner.unlocked():
        assert list_hosts(owner.id) == []


@pytest.mark.parametrize("current", ["", "not her password"])
@pytest.mark.parametrize("act", ["agree", "save_key"])
def test_with_a_copied_cookie_alone_nobody_decides_where_texts_go_after_a_lock(
    elsewhere: ServingLoop, owner: Resident, act: str, current: str
) -> None:
    if act == "save_key":
        owner.agree_to(HOST)

    page = press(owner, act, key="sk-of-the-thief", current=current)

    assert page.has(".field-error")
    assert "sk-of-the-thief" not in str(page.raw_text)
    with owner.unlocked():
        assert [host.has_key for host in list_hosts(owner.id)] == ([False] if act == "save_key" else [])


def test_without_another_machine_there_is_nothing_to_agree_to(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    page = get_page(owner)

    assert "nothing you write leaves this one" in page.text
    assert not page.has('button[value="agree"]')
    assert not read(owner.get(f"/d/{owner.today}/")).has("#texts-go")
    assert ask_for_reply(owner)[1] == "done"


def test_nobody_who_writes_to_the_database_agrees_for_somebody(
    elsewhere: ServingLoop, model: FakeModelServer, owner: Resident, housemate: Resident
) -> None:
    press(housemate, "agree")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE accounts_vault SET model_hosts = "
            "(SELECT model_hosts FROM accounts_vault WHERE owner_id = %s) WHERE owner_id = %s",
            [housemate.id.hex, owner.id.hex],
        )

    with owner.unlocked():
        assert find_refusal(owner.id, HOST) == "no_consent"
    # Its owner is let in all the same, and may agree anew.
    assert press(owner, "agree").has('button[value="withdraw"]')


# --- Keys of one's own --------------------------------------------------------------------------------------


def test_a_key_of_ones_own_is_used_for_ones_own_requests_until_it_is_deleted(
    elsewhere: ServingLoop, model: FakeModelServer, owner: Resident, housemate: Resident
) -> None:
    for person in (owner, housemate):
        press(person, "agree")
    page = press(owner, "save_key", key=f" {KEY} ")
    replaced = press(owner, "save_key", key=f"{KEY}-2")
    for person in (owner, housemate):
        assert ask_for_reply(person)[1] == "done"
    deleted = press(owner, "delete_key")
    assert ask_for_reply(owner)[1] == "done"

    assert get_keys_sent(model) == [f"Bearer {key}" for key in (f"{KEY}-2", "sk-household", "sk-household")]
    assert "A key of yours is saved" in page.text
    assert "Replace key" in replaced.text
    assert "You have saved no key" in deleted.text
    for shown in (page, replaced, deleted, get_page(housemate)):
        assert KEY not in str(shown.raw_text)


@pytest.mark.parametrize("key", ["", " ", "zwei\nZeilen", "schlüssel", "x" * 501])
def test_a_key_that_can_be_none_is_refused_beside_its_field(
    elsewhere: ServingLoop, owner: Resident, key: str
) -> None:
    press(owner, "agree")

    page = press(owner, "save_key", key=key)

    assert page.one("#remote-key-error").text == str(HostRefused("bad_key"))
    with owner.unlocked():
        assert not list_hosts(owner.id)[0].has_key


def test_a_key_is_sent_to_the_server_it_was_saved_for_alone(elsewhere: ServingLoop, owner: Resident) -> None:
    press(owner, "agree")
    press(owner, "save_key", key=KEY)
    origin = model_server.get_status().origin

    with owner.unlocked():
        assert services.load_host_key(owner.id, HOST, origin) == KEY
        assert services.load_host_key(owner.id, HOST, origin.replace("http", "https")) == ""
        assert services.load_host_key(owner.id, HOST, f"http://{HOST}:80") == ""


def test_a_key_needs_a_consent(elsewhere: ServingLoop, owner: Resident) -> None:
    page = press(owner, "save_key", key=KEY)

    assert page.one("[data-error]").text == str(HostRefused("not_agreed"))


def test_a_key_is_found_nowhere_and_outlives_a_rotation(
    elsewhere: ServingLoop, model: FakeModelServer, caplog: pytest.LogCaptureFixture
) -> None:
    owner, marker = register_resident("Olive").sign_in(), new_marker()
    key = f"sk-{get_core(marker)}"
    caplog.set_level(logging.DEBUG)
    press(owner, "agree")
    saved = {"act": "save_key", "host": HOST, "current": owner.password}
    answers = [owner.post(PAGE, **saved, key=one) for one in (key, f"{key}ü")]
    assert ask_for_reply(owner)[1] == "done"
    exported = unzip(request_export(owner))
    database = Path(str(connection.settings_dict["NAME"]))

    def list_places() -> list[Place]:
        pages = [owner.get(PAGE), owner.get("/settings/"), *answers]
        return [
            Place("the log", caplog.text.encode()),
            *(Place("a page", page.content) for page in pages),
            *(Place(path.name, path.read_bytes()) for path in database.parent.glob(f"{database.name}*")),
            *list_column_values(database),
            *(Place(name, exported.read(name)) for name in exported.namelist()),
        ]

    assert sweep(marker, [Place("planted", marker.encode())])
    assert len(list_places()) > 50
    assert sweep(marker, list_places()) == []

    rotation_services.resume_rotation(begin_rotation(owner.open_slot()).keyring)
    owner.keyring = owner.open_keyring()
    owner.sign_in()

    assert "A key of yours is saved" in get_page(owner).text
    assert ask_for_reply(owner)[1] == "done"
    assert get_keys_sent(model) == [f"Bearer {key}"] * 2
    assert sweep(marker, list_places()) == []


def test_a_compromised_account_loses_its_consents_and_keys(
    elsewhere: ServingLoop, model: FakeModelServer
) -> None:
    owner = register_resident("Olive").sign_in()
    press(owner, "agree")
    press(owner, "save_key", key=KEY)
    with owner.unlocked():
        services.agree(owner.id, "models.example", on=owner.today)
    new = "seven herons over the marsh"
    fields = {"current": owner.password, "password": new, "password_again": new}

    assert owner.post("/settings/somebody-had-my-key/", **fields).status_code == 200
    page = read(owner.get("/settings/"))

    stop_rotation_threads(timeout=PATIENCE)
    owner.password = new
    owner.keyring = owner.open_keyring()
    assert f"Nothing of yours is sent to {HOST} or models.example any more" in page.text
    assert f"Your own API key for {HOST} is deleted here. Revoke it at its service too" in page.text
    with owner.unlocked():
        assert list_hosts(owner.id) == []
    # What one agrees to again is without the key of before.
    press(owner, "agree")
    assert ask_for_reply(owner)[1] == "done"
    assert get_keys_sent(model) == ["Bearer sk-household"]
