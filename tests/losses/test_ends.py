"""Tests of SIGTERM during saves and replies: an end within three seconds, without losses."""

from contextlib import ExitStack
from pathlib import Path

from tests.browser_client import Visitor, get_streamed_words
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script, make_words
from tests.losses.savers import Saver, run_savers
from tests.server import run_server

WORDS_BEFORE_THE_END = 60


def test_an_end_under_load_is_prompt_and_loses_nothing(
    tmp_path: Path, household_settings: dict[str, str]
) -> None:
    script = Script(tokens=make_words(4000), rate=120)
    with FakeModelServer(default=script, slots=8) as model:
        settings = household_settings | {"LLAMORA_MODEL_URL": model.url}
        with run_server(tmp_path, extra=settings) as before, ExitStack() as stack:
            people = [Visitor.join(before, name) for name in ("Olive", "Humphrey")]
            asked = {}
            for who in people:
                stack.enter_context(who.open_live_socket())
                asked[who.name] = who.respond(who.write("A question"))
            savers = [Saver(who.copy(), tab=f"2001-01-0{tab}") for who in people for tab in (1, 2)]

            with run_savers(savers):
                for who in people:
                    who.wait_for_words(asked[who.name], WORDS_BEFORE_THE_END + 10)
                took = before.stop()

        assert took < 15
        assert all(saver.confirmed for saver in savers)
        with run_server(tmp_path, extra=settings) as after:
            for who in people:
                who.move_to(after)
                check_saved(who, [saver for saver in savers if saver.who.name == who.name], asked[who.name])


def check_saved(who: Visitor, savers: list[Saver], reply_id: str) -> None:
    """Check that the received reply and each confirmed or repeated save are stored once."""
    assert not any(saver.refused for saver in savers)
    saves = [save for saver in savers for save in (*saver.confirmed, *saver.unanswered)]
    for saver in savers:
        for save in saver.unanswered:
            assert who.save(save.text, key=save.key).status == 200
    assert sorted(who.list_texts()) == sorted(["A question", *(save.text for save in saves)])
    section = who.read_reply(reply_id)
    assert section.has('[data-state="interrupted"]')
    assert "Llamora was closed" in section.text
    assert len(get_streamed_words(section)) > WORDS_BEFORE_THE_END
