"""SIGTERM while people save and replies stream: over in three seconds, and everything that came is kept."""

from contextlib import ExitStack
from pathlib import Path

from tests.browser_client import Visitor, streamed_words
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script, words
from tests.losses.savers import Saver, saving
from tests.server import running

WORDS_BEFORE_THE_END = 60


def test_an_end_under_load_is_prompt_and_loses_nothing(
    tmp_path: Path, settings_of_house: dict[str, str]
) -> None:
    script = Script(tokens=words(4000), rate=120)
    with FakeModelServer(default=script, slots=8) as model:
        settings = settings_of_house | {"LLAMORA_MODEL_URL": model.url}
        with running(tmp_path, extra=settings) as before, ExitStack() as stack:
            people = [Visitor.join(before, name) for name in ("Olive", "Humphrey")]
            asked = {}
            for who in people:
                stack.enter_context(who.watching())
                asked[who.name] = who.respond(who.write("A question"))
            savers = [Saver(who.copy(), tab=f"2001-01-0{tab}") for who in people for tab in (1, 2)]

            with saving(savers):
                for who in people:
                    who.wait_for_words(asked[who.name], WORDS_BEFORE_THE_END + 10)
                took = before.stop()

        assert took < 15
        assert all(saver.confirmed for saver in savers)
        with running(tmp_path, extra=settings) as after:
            for who in people:
                who.move_to(after)
                look_after(who, [saver for saver in savers if saver.who.name == who.name], asked[who.name])


def look_after(who: Visitor, savers: list[Saver], reply_id: str) -> None:
    """The reply is kept as far as it came, and each save that was confirmed or is repeated is there once."""
    assert not any(saver.refused for saver in savers)
    saves = [save for saver in savers for save in (*saver.confirmed, *saver.unanswered)]
    for saver in savers:
        for save in saver.unanswered:
            assert who.save(save.text, key=save.key).status == 200
    assert sorted(who.list_texts()) == sorted(["A question", *(save.text for save in saves)])
    section = who.read_reply(reply_id)
    assert section.has('[data-state="interrupted"]')
    assert "Llamora was closed" in section.text
    assert len(streamed_words(section)) > WORDS_BEFORE_THE_END
