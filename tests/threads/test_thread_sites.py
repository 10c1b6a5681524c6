"""Tests that only `llamora.threads` and listed modules start threads."""

import ast
from collections.abc import Iterator

from tests.source_tree import get_dotted_name, iter_nodes, source_modules

OF_THREADS = {"Thread", "Timer", "ThreadPoolExecutor"}
# A FairExecutor's threads are daemons of one pool for short calls. These are something else:
REASONS = {
    "accounts.rotation.background": "a long task of one person, stopped when that person locks",
    "diary.origins.claim_threads": "a long task of one person, stopped when that person locks",
    "diary.transfer.downloads": "a long task of one person, stopped when that person locks or leaves",
    "llamora.client.commands.mcp_bridge": "a program of its own, on the machine of an assistant",
    "llamora.database.compaction": "now and then a task that takes a second, for which nobody waits",
    "llamora.database.commit_log": "a write to the disk each second, below the floor of the pool",
    "llamora.inference.db_executor": "the process ends only when these have written",
    "llamora.inference.model_choice.downloads": "a long task of the household, which can be cancelled",
    "llamora.inference.llamacpp_child": "a process of its own that waits for its parent's end",
    "llamora.ops.background": "the process ends only when a backup under way has cleaned up",
    "llamora.ops.benchmarks.attacks": "a client of the server that is measured",
    "llamora.ops.benchmarks.facts.fact_process": "another writer than the one that is measured",
    "llamora.ops.benchmarks.hostile_days": "a client of the server that is measured",
    "llamora.ops.benchmarks.pages": "clients of the server that is measured",
    "llamora.ops.benchmarks.programs.call_process": "clients of the server that is measured",
    "llamora.ops.benchmarks.programs.plain_process": "a server that answers at once, for comparison",
    "llamora.ops.benchmarks.programs.calls": "a client of the server that is measured",
    "llamora.ops.server.http_server": "the end of the process, in case its event loop no longer works",
    "llamora.threads.fair_executor": "the pool itself",
    "search.checkins.threads": "a long task of one person, stopped when that person locks",
    "search.index.registry": "a sweep every now and then, for as long as the process lives",
    "search.index.workers": "tasks that their owner cancels, in threads without a lasting connection",
    "traces.facts.pages.list_preloading": "a long task of one person, stopped when that person locks",
    "traces.facts.proposals.diary_walk": "a long task of one person, stopped when that person locks",
    "traces.unlocked_cache": "a sweep every now and then, for as long as the process lives",
}


def find_thread_sites(tree: ast.Module) -> Iterator[int]:
    """Yield the lines that create a thread or define a thread class."""
    made = [node.func for node in iter_nodes(tree, ast.Call)]
    made += [base for node in iter_nodes(tree, ast.ClassDef) for base in node.bases]
    for each in made:
        if get_dotted_name(each).rpartition(".")[2] in OF_THREADS:
            yield each.lineno


def test_threads_are_made_where_there_is_a_reason() -> None:
    sites = {module for module, tree in source_modules(*OF_THREADS).items() if [*find_thread_sites(tree)]}

    assert sites == REASONS.keys()


def test_a_thread_made_in_any_style_would_be_found() -> None:
    bad = """
        threading.Thread(target=f).start()
        class Worker(threading.Thread): pass
        pool = ThreadPoolExecutor(2)
        futures.ThreadPoolExecutor(max_workers=1).submit(f)
        threading.Timer(1, f)
        not_one = FairExecutor(threads=1, name="x")
    """
    tree = ast.parse("\n".join(line.strip() for line in bad.splitlines()))

    assert sorted(find_thread_sites(tree)) == [2, 3, 4, 5, 6]
