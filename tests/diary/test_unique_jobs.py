"""Tests of unique jobs: one job for each subject, and nothing unrequested from remote or tiny models."""

import ast
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any, NamedTuple

import pytest
from django.db import connections

from diary.generation.unique_jobs import find_job, get_or_start_job, get_task, list_jobs
from diary.openings.services import start_opening
from diary.openings.tasks import OpeningSource, OpeningTask
from diary.recaps.services import get_or_start_recap
from diary.recaps.tasks import RecapTask
from diary.replies.reply_kinds import DEFAULT_CHOICE
from diary.replies.services import start_reply
from diary.replies.tasks import ReplyTask
from llamora.fields import new_id
from llamora.inference.job import Job
from llamora.inference.registry import registry
from search.ask.services import ask
from search.ask.tasks import AnswerTask
from search.index.registry import indexes
from search.look_backs.periods import Period
from search.look_backs.services import start_look_back
from search.look_backs.tasks import LookBackTask
from tests.diary.tabs import ServingLoop, run_serving_loop
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script, make_unending
from tests.fakes.waiting import PATIENCE, wait_for
from tests.page import read
from tests.people import Resident
from tests.source_tree import Modules, get_dotted_name, iter_nodes, source_modules
from tests.traces.tagging import add_traces
from traces.proposals.services import propose_traces
from traces.proposals.tasks import ProposalTask
from traces.summaries.services import request_summary
from traces.summaries.tasks import SummaryTask

pytestmark = pytest.mark.django_db(transaction=True)

UNIQUE_JOBS = "diary.generation.unique_jobs"
SLOW = make_unending()


class Caller(NamedTuple):
    """A service that starts generations: its task class, and whether every start is requested."""

    ask: Callable[[Resident, bool], object]
    kind: type[Any]
    is_always_requested: bool = False


def past_day(owner: Resident) -> date:
    return owner.today - timedelta(days=2)


def ask_for_reply(owner: Resident, is_requested: bool) -> object:
    entry = owner.write("Began the boat.")
    return start_reply(person=owner.person, entry_id=entry.id, keyring=owner.keyring, choice=DEFAULT_CHOICE)


def ask_for_opening(owner: Resident, is_requested: bool) -> object:
    owner.write("Began the boat.", day=past_day(owner))
    return start_opening(owner.person, owner.today, keyring=owner.keyring, is_replacement=is_requested)


def ask_for_recap(owner: Resident, is_requested: bool) -> object:
    owner.write("Began the boat.", day=past_day(owner))
    return get_or_start_recap(owner.person, past_day(owner), keyring=owner.keyring, is_requested=is_requested)


def ask_for_proposals(owner: Resident, is_requested: bool) -> object:
    entry = owner.write("Began the boat.")
    return propose_traces(
        person=owner.person, entry_id=entry.id, keyring=owner.keyring, is_requested=is_requested
    )


def ask_for_summary(owner: Resident, is_requested: bool) -> object:
    trace = add_traces(owner, owner.write("Began the boat."), "Boat")[0]
    return request_summary(owner.person, trace, keyring=owner.keyring)


def ask_for_answer(owner: Resident, is_requested: bool) -> object:
    owner.write("Began the boat.")
    assert indexes.for_owner(owner.keyring).words_ready.wait(30)
    return ask(person=owner.person, keyring=owner.keyring, question="When did I begin the boat?")


def ask_for_look_back(owner: Resident, is_requested: bool) -> object:
    owner.write("Began the boat.", day=past_day(owner))
    return start_look_back(owner.person, Period.create_month(past_day(owner)), keyring=owner.keyring)


CALLERS = {
    "diary.replies.services": Caller(ask_for_reply, ReplyTask, is_always_requested=True),
    "diary.openings.services": Caller(ask_for_opening, OpeningTask),
    "diary.recaps.services": Caller(ask_for_recap, RecapTask),
    "traces.proposals.services": Caller(ask_for_proposals, ProposalTask),
    "traces.summaries.services": Caller(ask_for_summary, SummaryTask, is_always_requested=True),
    "search.ask.services": Caller(ask_for_answer, AnswerTask, is_always_requested=True),
    "search.look_backs.services": Caller(ask_for_look_back, LookBackTask, is_always_requested=True),
}
# By a model on this machine only, even if asked for: `tests/traces/facts/test_finding.py`.
LOCAL_CALLERS = {"traces.facts.proposals.services", "search.checkins.services"}
UNREQUESTED = [name for name, caller in CALLERS.items() if not caller.is_always_requested]


@contextmanager
def serving_elsewhere(model: FakeModelServer, settings: Any) -> Iterator[ServingLoop]:
    """A serving loop whose model counts as a model on another machine."""
    settings.MODEL_ALLOW_REMOTE = True
    # Every address of this machine, and so none that is its own alone.
    with run_serving_loop(model.url.replace("127.0.0.1", "0.0.0.0")) as live:
        yield live


def count_requests(model: FakeModelServer) -> int:
    return len(model.calls) + len(model.asked_for_json)


# --- The rule about models on other machines -------------------------------------------------------------


@pytest.mark.parametrize("name", UNREQUESTED)
def test_unrequested_nothing_is_sent_to_a_model_on_another_machine(
    name: str, model: FakeModelServer, owner: Resident, settings: Any
) -> None:
    with serving_elsewhere(model, settings) as live, owner.unlocked():
        started = CALLERS[name].ask(owner, False)
        live.wait_until_idle()

        assert started is None
        assert registry.list_jobs(owner.keyring.key_id) == []
        assert count_requests(model) == 0


@pytest.mark.parametrize("name", UNREQUESTED)
def test_unrequested_a_model_on_this_machine_is_asked(
    name: str, live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    with owner.unlocked():
        CALLERS[name].ask(owner, False)

        assert len(list_jobs(CALLERS[name].kind)) == 1
    wait_for(lambda: count_requests(model) == 1)


@pytest.mark.parametrize("name", CALLERS)
def test_on_request_a_model_on_another_machine_is_asked(
    name: str, model: FakeModelServer, owner: Resident, settings: Any
) -> None:
    owner.agree_to("0.0.0.0")
    with serving_elsewhere(model, settings), owner.unlocked():
        CALLERS[name].ask(owner, True)

        assert len(list_jobs(CALLERS[name].kind)) == 1
        wait_for(lambda: count_requests(model) == 1)


# --- The rule about models that are too small -------------------------------------------------------------

SMALL, LARGE = "wren:0.5b", "heron:7b"


@contextmanager
def serving_models(first: str, *others: str) -> Iterator[tuple[ServingLoop, FakeModelServer]]:
    """A serving loop whose server on this machine has these models; the household uses the first."""
    with (
        FakeModelServer(kind="Ollama", model=first, also=others) as server,
        run_serving_loop(server.url) as live,
    ):
        yield live, server


@pytest.mark.parametrize("name", UNREQUESTED)
def test_unrequested_a_model_that_is_too_small_writes_nothing(
    name: str, transactional_db: None, owner: Resident
) -> None:
    with serving_models(SMALL) as (live, server), owner.unlocked():
        started = CALLERS[name].ask(owner, False)
        live.wait_until_idle()

        assert started is None
        assert registry.list_jobs(owner.keyring.key_id) == []
        assert count_requests(server) == 0


@pytest.mark.parametrize("name", CALLERS)
def test_on_request_a_model_that_is_too_small_is_asked(
    name: str, transactional_db: None, owner: Resident
) -> None:
    with serving_models(SMALL) as (_, server), owner.unlocked():
        CALLERS[name].ask(owner, True)

        wait_for(lambda: count_requests(server) == 1)


@pytest.mark.parametrize(
    ("offered", "chosen", "writes"),
    [
        ([SMALL, LARGE], LARGE, True),
        ([LARGE, SMALL], SMALL, False),
        ([LARGE, SMALL], "", True),
        # The server does not have it any more: the first writes.
        ([SMALL, LARGE], "eagle:70b", False),
        (["diarist"], "", True),
    ],
)
def test_the_model_that_counts_is_the_persons(
    offered: list[str], chosen: str, transactional_db: None, owner: Resident, *, writes: bool
) -> None:
    owner.person.model = chosen
    with serving_models(*offered), owner.unlocked():
        job = CALLERS["diary.openings.services"].ask(owner, False)

        assert (job is not None) is writes


def test_the_day_says_that_the_model_is_too_small_and_promises_no_opening(
    transactional_db: None, owner: Resident
) -> None:
    owner.write("Began the boat.", day=past_day(owner))
    with serving_models(SMALL, LARGE) as (live, _):
        page = read(owner.get("/").content.decode())
        live.wait_until_idle()
        owner.set_preferences(model=LARGE)
        other_page = read(owner.get("/").content.decode())

    sentence = page.one("#model-status").text
    assert sentence.startswith("Replies are written by wren:0.5b, served by ")
    assert sentence.endswith(
        " This model is too small to answer a diary; 3 to 8 billion parameters are needed."
    )
    assert page.all("#opening") == []
    assert other_page.one("#model-status").text.startswith(f"Replies are written by {LARGE}, served by ")
    assert "too small" not in other_page.one("#model-status").text
    assert other_page.all("#opening")


def test_where_no_model_suggests_traces_unasked_names_in_the_text_are_suggested(
    transactional_db: None, owner: Resident
) -> None:
    entry = owner.write("Tea with Anna at the Red Lion, and then Anna left.")

    pages = {}
    for model in (SMALL, LARGE):
        with serving_models(model):
            pages[model] = read(
                owner.get(f"/entries/{entry.id}/traces/propose/", script=True).content.decode()
            )

    assert [name.text for name in pages[SMALL].all(".trace-proposal bdi")] == ["Anna", "Red Lion"]
    assert pages[LARGE].all(".trace-proposal bdi") == []


# --- Once for each subject -------------------------------------------------------------------------------


def build_opening(owner: Resident) -> OpeningTask:
    source = OpeningSource(day=past_day(owner), ago=2, text="Began the boat.")
    return OpeningTask(id=new_id(), owner_id=owner.id, day=owner.today, sources=(source,))


def ask_for_today(
    owner: Resident, build: Callable[[], OpeningTask | None] | None = None, **options: Any
) -> Job | None:
    """Call `get_or_start_job` for an opening of today, without the service."""
    options = {"person": owner.person, "keyring": owner.keyring, "is_requested": True, **options}
    return get_or_start_job(OpeningTask, owner.today, build or (lambda: build_opening(owner)), **options)


def end_job(job: Job | None) -> Job:
    assert job is not None
    wait_for(lambda: job.is_over)
    return job


def test_many_who_ask_at_once_get_one_job(live: ServingLoop, model: FakeModelServer, owner: Resident) -> None:
    model.add_scripts(SLOW)
    barrier = threading.Barrier(6)

    def build() -> OpeningTask:
        # By now every one of them has seen that there is no job.
        barrier.wait(PATIENCE)
        return build_opening(owner)

    def ask() -> Job | None:
        try:
            return ask_for_today(owner, build, allow_repeat=True)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        jobs = [one.result() for one in [pool.submit(ask) for _ in range(6)]]

    assert len(set(jobs)) == 1
    assert registry.list_jobs(owner.keyring.key_id) == jobs[:1]


def test_a_job_that_is_over_counts_unless_another_is_asked_for(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    model.add_scripts(Script(status=500))
    failed = end_job(ask_for_today(owner))

    present = ask_for_today(owner)
    other = ask_for_today(owner, allow_repeat=True)

    assert present is failed
    assert other is not None
    assert other is not failed
    with owner.unlocked():
        assert find_job(OpeningTask, owner.today) is other
    assert not registry.has_job(failed.id)


def test_a_running_job_counts_unless_it_is_replaced(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    model.add_scripts(SLOW, SLOW)
    running = ask_for_today(owner)
    assert running is not None

    assert ask_for_today(owner, allow_repeat=True) is running
    second = ask_for_today(owner, allow_repeat=True, replaces=running.id)

    assert second is not running
    assert registry.list_jobs(owner.keyring.key_id) == [running, second]


def test_other_days_people_and_kinds_are_other_subjects(
    live: ServingLoop, model: FakeModelServer, owner: Resident, housemate: Resident
) -> None:
    job = ask_for_today(owner)

    with owner.unlocked():
        assert find_job(OpeningTask, past_day(owner)) is None
        assert find_job(RecapTask, owner.today) is None
    with housemate.unlocked():
        assert find_job(OpeningTask, owner.today) is None
    assert ask_for_today(housemate) is not job


def test_nothing_starts_where_there_is_nothing_to_do(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    assert ask_for_today(owner, lambda: None) is None
    assert registry.list_jobs(owner.keyring.key_id) == []


def test_without_a_model_only_what_waits_for_one_starts(owner: Resident, transactional_db: None) -> None:
    with run_serving_loop("http://127.0.0.1:9"):
        assert ask_for_today(owner) is None
        assert ask_for_today(owner, is_requested=False, starts_without_model=True) is None
        assert end_job(ask_for_today(owner, starts_without_model=True)).reason == "refused_connection"


def test_without_an_event_loop_nothing_starts_and_no_key_stays_open(owner: Resident) -> None:
    assert ask_for_today(owner, starts_without_model=True) is None
    assert owner.keyring.data_key()


def test_a_job_has_a_keyring_of_its_own_and_the_model_of_its_owner(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    owner.person.model = "another-model"

    job = end_job(ask_for_today(owner))

    assert job.keyring is not owner.keyring
    assert job.model == "another-model"
    assert owner.keyring.data_key()


def test_a_task_of_another_kind_is_refused(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    job = end_job(ask_for_today(owner))

    assert get_task(job, OpeningTask).day == owner.today
    with pytest.raises(TypeError):
        get_task(job, RecapTask)


# --- No way past it --------------------------------------------------------------------------------------


def find_calls(modules: Modules, name: str) -> set[str]:
    """Return the modules that call a function of that name, such as `registry.start`."""
    return {
        module
        for module, tree in modules.items()
        for node in iter_nodes(tree, ast.Call)
        if get_dotted_name(node.func) == name
    }


def find_imports(modules: Modules, name: str) -> set[str]:
    """Return the modules that import that name."""
    return {
        module
        for module, tree in modules.items()
        for node in (*iter_nodes(tree, ast.Import), *iter_nodes(tree, ast.ImportFrom))
        if name in {alias.name for alias in node.names}
    }


def find_reads(modules: Modules, attribute: str) -> set[str]:
    """Return the modules that read an attribute."""
    return {
        module
        for module, tree in modules.items()
        for node in iter_nodes(tree, ast.Attribute)
        if node.attr == attribute and isinstance(node.ctx, ast.Load)
    }


def find_isinstance_of_task(modules: Modules) -> set[str]:
    """Return the modules that call `isinstance` with the task of a job."""
    return {
        module
        for module, tree in modules.items()
        for node in iter_nodes(tree, ast.Call)
        if get_dotted_name(node.func) == "isinstance" and get_dotted_name(node.args[0]).endswith(".task")
    }


def test_no_other_module_starts_jobs() -> None:
    assert find_calls(source_modules("registry.start"), "registry.start") == {UNIQUE_JOBS}


def test_every_module_that_starts_generations_is_in_the_table() -> None:
    callers = find_imports(source_modules("get_or_start_job"), "get_or_start_job")

    assert callers == CALLERS.keys() | LOCAL_CALLERS


def test_no_other_module_decides_by_where_the_model_is() -> None:
    deciding = {
        name for name in find_reads(source_modules("remote"), "remote") if not name.startswith("llamora.")
    }

    assert deciding == {UNIQUE_JOBS}


def test_no_other_module_decides_by_how_large_the_model_is() -> None:
    deciding = {
        name
        for name in find_reads(source_modules("is_too_small_for"), "is_too_small_for")
        if not name.startswith("llamora.")
    }

    assert deciding == {UNIQUE_JOBS}


def test_tasks_are_asked_and_not_told_apart() -> None:
    assert find_isinstance_of_task(source_modules(".task")) == {UNIQUE_JOBS, "diary.generation.page_tasks"}


def test_these_checks_can_fail() -> None:
    source = """from diary.generation.unique_jobs import get_or_start_job
registry.start(task, keyring=keyring)
if isinstance(job.task, ReplyTask) and not status.remote: pass"""
    bad = {"bad": ast.parse(source)}

    assert find_calls(bad, "registry.start") == {"bad"}
    assert find_imports(bad, "get_or_start_job") == {"bad"}
    assert find_reads(bad, "remote") == {"bad"}
    assert find_isinstance_of_task(bad) == {"bad"}
