"""Rules for the layout and the names of the source tree, from "How the code is laid out" in `README.md`.

A rule is a function that yields names that break it, each with advice. `RULES` says which code each rule
reads, `BROKEN` has an example that each must find, and `NOT_YET` lists the exceptions that are left.
"""

import ast
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.conftest import ROOT
from tests.source_tree import PACKAGES, Modules, get_dotted_name, iter_nodes, source_modules
from tests.test_architecture import load_import_contracts

APPS = [name for name in PACKAGES if name != "llamora"]
MOST_MODULES, SHORT_MODULE, MOST_SHORT_MODULES = 15, 40, 8

# Django looks for classes of these names, one in each module.
NAMED_BY_DJANGO = {"Meta", "Command", "Migration"}

# Participles that do not end in -ed or -en, and words that do and are none.
IRREGULAR = frozenset(
    """begun bought brought built caught come done drawn dug fed felt fled found gone got grown heard held
    hung hurt kept knelt known laid led left lent lit lost made meant met paid put rung said seen sent shown
    shut slept sold sought spent split spoken stood struck stuck sung sunk swept swum taught thought thrown
    told torn understood woken won worn wound written""".split()  # noqa: SIM905 - a list of so many is not read
)
NO_PARTICIPLES = frozenset(
    """bed children dozen embed exceed feed happen heed indeed listen need open proceed queen screen seed
    seven shed speed succeed ten then token tokens weed wooden when""".split()  # noqa: SIM905 - likewise
)

# Words that tell a stranger nothing, and what to write instead.
RIDDLES = {
    "bell": "event",
    "desk": "executor, importer",
    "door": "login, registration",
    "doorbell": "user_events",
    "errand": "task",
    "glance": "preview",
    "glancing": "preview",
    "hear": "listen_for",
    "holdings": "data_inventory",
    "keep": "save, retain",
    "keeper": "administrator",
    "keeps": "saves, retains",
    "kept": "saved, retained",
    "lane": "worker, executor",
    "lanes": "workers, executors",
    "leaf": "page",
    "shelf": "folder, backups",
    "standing": "progress, existing",
    "told": "summary, message",
    "turned": "rotated",
    "turning": "rotation",
    "turnstile": "concurrency_limit",
    "way": "key slot, reply kind",
    "ways": "key slots, reply kinds",
}
# Argon2's own word, columns of the database, and settings of households.
ALLOWED_NAMES = {
    *("ARGON2_LANES", "lanes", "enter_keeps", "keep_key", "ways_in", "owner__vault__ways_in"),
    *("BACKUP_KEEP_DAYS", "BACKUP_KEEP_WEEKS"),
}

QUESTION = re.compile(r"(What|How|Whether|Where|Who|Whose|Which|Why|When)\b")
NOT_IMPERATIVE = re.compile(r"The|A|An|One|Every|Each|All|\w+ing|\w+[^s]s|" + QUESTION.pattern)
IMPERATIVE_ALL_THE_SAME = {"Bring", "Discuss", "Focus", "Miss", "Pass", "Press", "Process"}

# What is still wrong, rule by rule. It only gets shorter: whoever puts something right takes it out.
NOT_YET: dict[str, set[str]] = {}


class Problem(NamedTuple):
    """A name that breaks a rule, and advice."""

    where: str
    advice: str


class Name(NamedTuple):
    """A name and its place in the code."""

    where: str
    text: str


Function = ast.FunctionDef | ast.AsyncFunctionDef


# --- What the rules read ---------------------------------------------------------------------------------


def iter_functions(tree: ast.AST) -> Iterator[Function]:
    """Yield every function and method."""
    yield from iter_nodes(tree, ast.FunctionDef)
    yield from iter_nodes(tree, ast.AsyncFunctionDef)


def iter_classes(tree: ast.AST) -> Iterator[ast.ClassDef]:
    """Yield every class."""
    return iter_nodes(tree, ast.ClassDef)


def iter_code_names(modules: Modules) -> Iterator[Name]:
    """Yield the names of modules, classes and functions."""
    for module, tree in modules.items():
        yield Name(module, module.rpartition(".")[2])
        yield from (
            Name(f"{module}.{node.name}", node.name) for node in (*iter_functions(tree), *iter_classes(tree))
        )


def iter_variable_names(modules: Modules) -> Iterator[Name]:
    """Yield the names of parameters, assigned variables and attributes."""
    for module, tree in modules.items():
        stored = [argument.arg for argument in iter_nodes(tree, ast.arg)]
        stored += [node.id for node in iter_nodes(tree, ast.Name) if isinstance(node.ctx, ast.Store)]
        stored += [node.attr for node in iter_nodes(tree, ast.Attribute) if isinstance(node.ctx, ast.Store)]
        yield from (Name(f"{module}: {name}", name) for name in stored)


def iter_url_names(modules: Modules) -> Iterator[Name]:
    """Yield the names of URL patterns."""
    for module, tree in modules.items():
        for node in iter_nodes(tree, ast.Call):
            if get_dotted_name(node.func) in {"path", "re_path"}:
                for keyword in node.keywords:
                    if keyword.arg == "name" and isinstance(keyword.value, ast.Constant):
                        yield Name(f"{module}: {keyword.value.value}", str(keyword.value.value))


def iter_file_names() -> Iterator[Name]:
    """Yield the names of templates, style sheets and JavaScript modules, and of their folders."""
    for folder in ("templates", "static"):
        yield from iter_path_names(path.relative_to(ROOT) for path in sorted((ROOT / folder).rglob("*.*")))


def iter_path_names(paths: Iterable[Path]) -> Iterator[Name]:
    """Yield every part of some paths."""
    for path in paths:
        yield from (Name(str(path), part) for part in path.with_suffix("").parts)


# --- Rules on names --------------------------------------------------------------------------------------


def find_repeated_class_names(modules: Modules) -> Iterator[Problem]:
    """Find class names that are defined in more than one module."""
    found = defaultdict(set)
    for module, tree in modules.items():
        for node in iter_classes(tree):
            found[node.name].add(module)
    for name, where in found.items():
        if len(where) > 1 and name not in NAMED_BY_DJANGO:
            yield Problem(name, f"stands in {', '.join(sorted(where))}: name each by its own subject")


def is_participle(word: str) -> bool:
    """Return whether a word is a participle, by its form or by the list."""
    if word in NO_PARTICIPLES:
        return False
    return word in IRREGULAR or bool(re.fullmatch(r"[a-z]{2,}(ed|en)", word))


def is_bare_participle(name: str) -> bool:
    """Return whether a name is a participle, alone or with prepositions after it: `kept`, `asked_by`."""
    first, *others = name.strip("_").split("_")
    return is_participle(first) and {*others} <= {"by", "for", "from", "in", "of", "to"}


def find_participles(modules: Modules) -> Iterator[Problem]:
    """Find functions whose name is a bare participle."""
    for module, tree in modules.items():
        for node in iter_functions(tree):
            if is_bare_participle(node.name):
                yield Problem(f"{module}.{node.name}", "begin with a verb: get_, list_, is_, save, render")


def split_words(name: str) -> set[str]:
    """Return the words of a name of any style, in small letters."""
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)}


def find_riddles(names: Iterable[Name]) -> Iterator[Problem]:
    """Find names that contain a word of `RIDDLES`."""
    for where, text in names:
        for word in sorted(split_words(text) & set(RIDDLES)):
            if text not in ALLOWED_NAMES:
                yield Problem(
                    where, f'"{word}" tells a stranger nothing: say {RIDDLES[word]}, or what is meant'
                )


# --- Rules on packages -----------------------------------------------------------------------------------


def list_plain_modules(modules: Modules) -> list[str]:
    """Return the modules that are not packages."""
    packages = {name.rpartition(".")[0] for name in modules}
    return [name for name in modules if name not in packages]


def find_crowded_packages(modules: Modules) -> Iterator[Problem]:
    """Find packages with too many modules; commands do not count."""
    counts = Counter(name.rpartition(".")[0] for name in list_plain_modules(modules))
    for package, count in counts.items():
        if count > MOST_MODULES and not package.endswith(".commands"):
            yield Problem(package, f"holds {count} modules: put those of one subject into a package")


def find_imported_modules(module: str, tree: ast.Module, known: Modules) -> set[str]:
    """Return the project's modules that a module imports, anywhere in its code."""
    found = set()
    for node in iter_nodes(tree, ast.ImportFrom):
        if node.module and not node.level:
            names = ((node.module, f"{node.module}.{alias.name}") for alias in node.names)
            found.update(name if name in known else parent for parent, name in names)
    for plain in iter_nodes(tree, ast.Import):
        found.update(alias.name for alias in plain.names)
    return (found & known.keys()) - {module}


def count_lines(tree: ast.Module) -> int:
    """Return the number of the last line with code."""
    return max((node.end_lineno or 0 for node in tree.body), default=0)


def find_short_modules(modules: Modules) -> Iterator[Problem]:
    """Find short modules with a single importer, if there are more than the allowed number."""
    importers = Counter(
        name for module, tree in modules.items() for name in find_imported_modules(module, tree, modules)
    )
    short = [
        name
        for name in list_plain_modules(modules)
        if importers[name] == 1 and count_lines(modules[name]) < SHORT_MODULE
    ]
    if len(short) > MOST_SHORT_MODULES:
        for name in short:
            yield Problem(
                name, f"{len(short)} modules have one importer and few lines: move it to its importer"
            )


def find_unordered_modules(modules: Modules, contracts: Iterable[Mapping[str, Any]]) -> Iterator[Problem]:
    """Find modules of an app that are in no layer of its contract."""
    layers = {contract["name"]: contract.get("layers", []) for contract in contracts}
    for app in APPS:
        contract = f"Order inside {app}"
        ordered = {name for layer in layers.get(contract, []) for name in re.findall(r"[\w.]+", layer)}
        # A layer names a module, or the package that holds it.
        unordered = {
            ".".join(name.split(".")[:2])
            for name in list_plain_modules(modules)
            if name.startswith(f"{app}.")
            and name != f"{app}.apps"
            and not any(f"{name}.".startswith(f"{one}.") for one in ordered)
        }
        for name in sorted(unordered):
            yield Problem(name, f'give it a layer in the contract "{contract}" of pyproject.toml')


# --- Rules on docstrings ---------------------------------------------------------------------------------


def find_undescribed_modules(modules: Modules) -> Iterator[Problem]:
    """Find modules with code and without a docstring."""
    for module, tree in modules.items():
        if tree.body and not ast.get_docstring(tree):
            yield Problem(module, "say in a docstring what it is")


def find_questions(modules: Modules) -> Iterator[Problem]:
    """Find docstrings of modules and classes that begin with a question word."""
    for module, tree in modules.items():
        described = [(module, tree), *((f"{module}.{node.name}", node) for node in iter_classes(tree))]
        for where, node in described:
            if found := QUESTION.match(ast.get_docstring(node) or ""):
                yield Problem(where, f'"{found[0]} ...": begin with a noun that says what it is')


def is_property(node: Function) -> bool:
    """Return whether a method is read like an attribute; its docstring is a noun phrase."""
    names = {ast.unparse(decorator).split("(")[0].rpartition(".")[2] for decorator in node.decorator_list}
    return bool(names & {"property", "cached_property", "setter"})


def find_descriptions(modules: Modules) -> Iterator[Problem]:
    """Find docstrings of functions that are not imperative."""
    for module, tree in modules.items():
        for node in iter_functions(tree):
            first = re.split(r"[\s,;:.]", ast.get_docstring(node) or "", maxsplit=1)[0]
            wrong = NOT_IMPERATIVE.fullmatch(first) and first not in IMPERATIVE_ALL_THE_SAME
            if wrong and not is_property(node):
                yield Problem(
                    f"{module}.{node.name}", f'"{first} ...": begin with a verb, as in "Return the ..."'
                )


# --- The tree follows the rules --------------------------------------------------------------------------


RULES: dict[str, Callable[[], Iterable[Problem]]] = {
    "a class name stands in one module": lambda: find_repeated_class_names(source_modules()),
    "a function's name has a verb": lambda: find_participles(source_modules()),
    "names of code are no riddles": lambda: find_riddles(iter_code_names(source_modules())),
    "names of variables are no riddles": lambda: find_riddles(iter_variable_names(source_modules())),
    "names of URLs are no riddles": lambda: find_riddles(iter_url_names(source_modules())),
    "names of files are no riddles": lambda: find_riddles(iter_file_names()),
    "a package can be taken in": lambda: find_crowded_packages(source_modules()),
    "few short modules have one importer": lambda: find_short_modules(source_modules()),
    "an app has an order inside": lambda: find_unordered_modules(source_modules(), load_import_contracts()),
    "a module has a docstring": lambda: find_undescribed_modules(source_modules()),
    "modules and classes are described by nouns": lambda: find_questions(source_modules()),
    "functions are described by verbs": lambda: find_descriptions(source_modules()),
}


@pytest.mark.parametrize("rule", RULES)
def test_the_tree_follows_the_rule(rule: str) -> None:
    excepted = NOT_YET.get(rule, set())

    broken = [f"{where}: {advice}" for where, advice in RULES[rule]() if where not in excepted]
    assert not broken, f"{rule}\n" + "\n".join(broken)


@pytest.mark.parametrize("rule", RULES)
def test_what_was_put_right_is_no_exception_any_more(rule: str) -> None:
    excepted = NOT_YET.get(rule, set())
    # Without an exception there is nothing to read the whole tree for.
    stale = excepted - {problem.where for problem in RULES[rule]()} if excepted else set()

    assert not stale, "Take these out of NOT_YET, which only gets shorter:\n" + "\n".join(sorted(stale))


def test_exceptions_are_from_rules_that_exist() -> None:
    assert set(NOT_YET) <= set(RULES)


# --- The rules can fail ----------------------------------------------------------------------------------


def parse_modules(**sources: str) -> Modules:
    """Return modules of these names and sources; `__` stands for a dot."""
    return {name.replace("__", "."): ast.parse(source) for name, source in sources.items()}


ONE_IMPORTER = {f"short{number}": "'''Short.'''" for number in range(MOST_SHORT_MODULES + 1)}
BROKEN: dict[str, tuple[Iterable[Problem], str]] = {
    "a class name stands in one module": (
        find_repeated_class_names(
            parse_modules(a="class Line: pass", b="class Line: pass\nclass Other: pass")
        ),
        "Line",
    ),
    "a function's name has a verb": (
        find_participles(
            parse_modules(a="class A:\n async def kept_by(self): pass\n def is_kept(self): pass")
        ),
        "a.kept_by",
    ),
    "names of code are no riddles": (
        find_riddles(iter_code_names(parse_modules(a="class ReplyErrand: pass\nclass Runaway: pass"))),
        "a.ReplyErrand",
    ),
    "names of variables are no riddles": (
        find_riddles(iter_variable_names(parse_modules(a="def f(text, *, errand): always = text"))),
        "a: errand",
    ),
    "names of URLs are no riddles": (
        find_riddles(
            iter_url_names(parse_modules(a="x = [path('in/', view, name='door'), path('', view, name='in')]"))
        ),
        "a: door",
    ),
    "names of files are no riddles": (
        find_riddles(iter_path_names([Path("static/js/leaf.js"), Path("static/css/leaflet.css")])),
        "static/js/leaf.js",
    ),
    "a package can be taken in": (
        find_crowded_packages(
            parse_modules(**{f"a__b{number}": "" for number in range(MOST_MODULES + 1)}, c="")
        ),
        "a",
    ),
    "few short modules have one importer": (
        find_short_modules(parse_modules(**ONE_IMPORTER, importer="import " + ", ".join(ONE_IMPORTER))),
        "short0",
    ),
    "an app has an order inside": (
        find_unordered_modules(
            parse_modules(diary="", diary__apps="", diary__views="", diary__models=""),
            [{"name": "Order inside diary", "layers": ["diary.urls", "diary.models | diary.errors"]}],
        ),
        "diary.views",
    ),
    "a module has a docstring": (find_undescribed_modules(parse_modules(a="x = 1", b="", c="'C.'")), "a"),
    "modules and classes are described by nouns": (
        find_questions(parse_modules(a="'Whatever.'\nclass A: 'What it is.'")),
        "a.A",
    ),
    "functions are described by verbs": (
        find_descriptions(parse_modules(a="def f(): 'Whether it is.'\ndef g(): 'Return it.'\ndef h(): pass")),
        "a.f",
    ),
}


@pytest.mark.parametrize("rule", RULES)
def test_the_rule_can_fail(rule: str) -> None:
    problems, where = BROKEN[rule]

    found = [problem.where for problem in problems]
    assert found[:1] == [where]
    assert len(found) == 1 or rule == "few short modules have one importer"


@pytest.mark.parametrize(
    "source", ["'Give.'", "'Gives it.'", "'Making it.'", "'The one.'", "'Pass it on.'", "''"]
)
def test_a_docstring_is_judged_by_its_first_word(source: str) -> None:
    found = list(find_descriptions(parse_modules(a=f"def f(): {source}")))

    assert bool(found) is source.startswith(("'Gives", "'Making", "'The"))


def test_a_property_is_described_by_a_noun() -> None:
    source = "class A:\n @property\n def f(self): 'The one.'"

    assert not list(find_descriptions(parse_modules(a=source)))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("kept", True),
        ("_told", True),
        ("asked_by", True),
        ("written", True),
        ("open", False),
        ("tokens", False),
        ("is_locked", False),
        ("list_deleted", False),
    ],
)
def test_a_participle_is_told_from_a_verb(name: str, *, expected: bool) -> None:
    assert is_bare_participle(name) is expected
