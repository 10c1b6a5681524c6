"""Tests of the examples in the client's docstrings, with a scripted server.

Those of the asynchronous client use `await` at the top level, as in `python -m asyncio`.
"""

import ast
import asyncio
import contextlib
import doctest
import importlib
import inspect
import io
import json
import pkgutil
import sys
from pathlib import Path
from typing import Any

import pytest

import llamora.client
from llamora.client import calls
from tests.client.scripted_api import TOKEN, ScriptedApi

OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def list_modules() -> list[str]:
    found = pkgutil.walk_packages(llamora.client.__path__, "llamora.client.")
    return ["llamora.client", *(info.name for info in found if not info.name.endswith("__main__"))]


def list_examples() -> list[doctest.DocTest]:
    finder = doctest.DocTestFinder(exclude_empty=True)
    tests = (test for name in list_modules() for test in finder.find(importlib.import_module(name), name))
    return [test for test in tests if test.examples]


class TopLevelRunner:
    """A doctest runner with one event loop, which allows `await` at the top level."""

    def __init__(self, names: dict[str, Any]) -> None:
        self._names = names
        self._runner = asyncio.Runner()

    def close(self) -> None:
        self._runner.close()

    def run(self, source: str) -> str:
        """Run one example and return what it prints."""
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            code = compile(source, "<example>", "single", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            result = eval(code, self._names)
            if inspect.iscoroutine(result):
                self._runner.run(self._await(result))
        return printed.getvalue()

    @staticmethod
    async def _await(result: Any) -> None:
        await result


def run_examples(test: doctest.DocTest, names: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what is wrong with the examples of a docstring."""
    monkeypatch.setattr(sys, "displayhook", lambda value: value is None or print(repr(value)))
    runner, checker, wrong = TopLevelRunner(test.globs | names), doctest.OutputChecker(), []
    try:
        if "Async" in test.name.partition(".async_client")[2]:
            runner.run("diary = AsyncLlamora(url, token=token)")
        for example in test.examples:
            printed = runner.run(example.source)
            if not checker.check_output(example.want, printed, OPTIONS):
                wrong.append(f"{example.source}{checker.output_difference(example, printed, OPTIONS)}")
        if "diary" in runner._names and "Async" in test.name:
            runner.run("await diary.aclose()")
    finally:
        runner.close()
    return wrong


@pytest.mark.every_case
@pytest.mark.parametrize("test", list_examples(), ids=lambda test: test.name)
def test_an_example_does_what_it_says(
    test: doctest.DocTest, api: ScriptedApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with llamora.client.Llamora(api.url, token=TOKEN) as diary:
        public = {name: getattr(llamora.client, name) for name in llamora.client.__all__}
        memory = llamora.client.HarmoniaClient(api.url, token=TOKEN)
        names = public | {"memory": memory, "url": api.url, "token": TOKEN, "folder": tmp_path, "json": json}

        assert run_examples(test, names | {"diary": diary, "calls": calls}, monkeypatch) == []


def test_an_example_that_says_something_else_is_found(
    api: ScriptedApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = doctest.DocTestParser().get_doctest(">>> 1 + 1\n3\n", {}, "bad", None, 0)

    assert len(run_examples(bad, {}, monkeypatch)) == 1


@pytest.mark.parametrize("client", [llamora.client.Llamora, llamora.client.AsyncLlamora])
def test_every_public_method_has_an_example(client: type) -> None:
    methods = {name: each for name, each in vars(client).items() if inspect.isfunction(each)}
    lacking = {name for name, each in methods.items() if name[0] != "_" and ">>>" not in (each.__doc__ or "")}

    assert lacking <= {"close", "aclose"}


def test_both_clients_have_the_same_calls() -> None:
    def list_signatures(client: type) -> dict[str, list[str]]:
        methods = {name: each for name, each in vars(client).items() if inspect.isfunction(each)}
        return {
            name: list(inspect.signature(each).parameters)
            for name, each in methods.items()
            if name[0] != "_" and name not in ("close", "aclose")
        }

    assert list_signatures(llamora.client.Llamora) == list_signatures(llamora.client.AsyncLlamora)
