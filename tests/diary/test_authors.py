"""Tests of the author of a text, and of entries of the origin `model`: shown and exported as such."""

import re
from pathlib import Path
from typing import Any

import pytest

from diary.generation.budget import TokenBudget
from diary.generation.prompt_record import PromptRecord, load_author
from diary.generation.prompt_templates import OWN_TEMPLATES
from diary.generation.prompts import build_prompt
from diary.models import Recap
from diary.replies.reply_kinds import create_custom_kind
from llamora.inference.job import Author
from llamora.inference.messages import describe_author
from tests.diary.openings import open_day, write_days_ago
from tests.diary.tabs import ServingLoop, load_reply, start_reply, wait_for_reply_row
from tests.diary.test_recaps import wait_for_recap, write_past_day
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script, make_words
from tests.people import Resident

pytestmark = pytest.mark.django_db(transaction=True)

WRITTEN_BY = "Written by fake-model on this computer (prompt: {})."


def get_label(name: str) -> str:
    """Return name and version of a prompt as they are in its file."""
    version = (OWN_TEMPLATES / f"{name}.txt").read_text().splitlines()[0].removeprefix("version: ")
    return f"{name} {int(version)}"


def load_page(owner: Resident, path: str) -> str:
    return " ".join(owner.get(path, script=True).content.decode().split())


def test_the_sources_of_a_reply_and_of_an_opening_say_who_wrote_it(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    write_days_ago(owner, "Varnish is out.", ago=1)
    open_day(owner)
    reply = start_reply(owner, owner.write("Walked to the weir.").id)
    wait_for_reply_row(owner, reply)

    assert WRITTEN_BY.format(get_label("respond")) in load_page(owner, f"/replies/{reply}/read/")
    assert WRITTEN_BY.format(get_label("opening")) in load_page(owner, f"/d/{owner.today}/opening/read/")
    temperatures = [call["temperature"] for call in model.calls]
    assert temperatures == [0.7, 0.7]


def test_a_prompt_of_the_household_is_named_by_a_digest_and_is_as_warm_as_ours(
    settings: Any, tmp_path: Path
) -> None:
    settings.DATA_DIR = tmp_path
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "recap.txt").write_text("Sum up.\n---\n{{ day }}\n", encoding="utf-8")

    budget = TokenBudget(prompt=99, output=7)
    prompt = build_prompt("recap", {"day": "a day"}, messages=[], budget=budget, entries=1)

    assert re.fullmatch("recap [0-9a-f]{8}", prompt.label)
    assert prompt.temperature == 0.2
    assert prompt.check is not None


def test_an_echo_of_the_instructions_is_no_reply(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    echo = ["It rained. ", "Take one particular thing in the entry: a person, a remark."]
    model.add_scripts(Script(tokens=echo))

    reply = start_reply(owner, owner.write("Walked to the weir.").id)
    wait_for_reply_row(owner, reply)

    assert load_reply(owner, reply) == ("It rained.", "failed", "echo")
    assert "repeated its instructions" in load_page(owner, f"/d/{owner.today}/")


def test_an_entry_that_the_model_begins_to_write_is_no_reply(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    model.add_scripts(Script(tokens=["Sunday, 29 November 2026\n", "[08:00]\nToday I rose."]))

    reply = start_reply(owner, owner.write("Walked to the weir.").id)
    wait_for_reply_row(owner, reply)

    assert load_reply(owner, reply) == ("", "failed", "forged")
    assert "Nothing was written yet" in load_page(owner, f"/d/{owner.today}/")


def test_a_reply_in_the_form_that_its_owner_described_may_have_dates(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    with owner.unlocked():
        kind = create_custom_kind(owner_id=owner.id, name="By day", instruction="List the days.")
    model.add_scripts(Script(tokens=["29 November 2026\n", "The weir."]))

    reply = start_reply(owner, owner.write("Walked to the weir.").id, kind=str(kind.id))
    wait_for_reply_row(owner, reply)

    assert load_reply(owner, reply) == ("29 November 2026\nThe weir.", "done", "")


def test_an_echo_is_no_opening(live: ServingLoop, model: FakeModelServer, owner: Resident) -> None:
    write_days_ago(owner, "Varnish is out.", ago=1)
    model.add_scripts(Script(tokens=["Pass over quarrels, deaths, illness, the body, love affairs"]))

    assert "Pass over" not in open_day(owner)


def test_a_recap_ends_with_the_sentence_in_which_it_has_sixty_words(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    owner.write("Began the boat.", day=write_past_day(owner))
    words = [*make_words(58), "then ", "home ", "at ", "last. ", "Nothing ", "more."]
    model.add_scripts(Script(tokens=[word.replace(". ", ", ") for word in words[:58]] + words[58:]))

    html = wait_for_recap(owner)

    assert "home at last.</p>" in html
    with owner.unlocked():
        body = Recap.objects.get().body
    assert body["author"] == {"model": "fake-model", "host": "", "prompt": get_label("recap")}


@pytest.mark.parametrize("value", [None, 7, [], {"model": 7}, {"host": None}])
def test_a_writer_that_is_not_known_has_no_sentence(value: object) -> None:
    assert describe_author(load_author(value)) == ""


def test_a_name_from_a_server_or_a_file_is_one_short_line() -> None:
    record = PromptRecord.from_json(
        PromptRecord().to_json() | {"author": {"model": "a\n\u202eb" + "c" * 500, "host": "far.example"}}
    )

    assert record is not None
    assert record.author == Author(model="a b" + "c" * 117, host="far.example")
    assert describe_author(record.author).endswith("c on far.example.")


def test_the_name_of_a_model_file_is_shown_without_its_folder() -> None:
    author = Author(model="/data/models/qwen2.5-7b-instruct.gguf", prompt="recap 5")

    assert describe_author(author) == "Written by qwen2.5-7b-instruct on this computer (prompt: recap 5)."
