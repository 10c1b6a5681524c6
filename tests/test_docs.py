"""Tests of the README: settings with defaults, commands, pictures, packages, first commands."""

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand
from django.core.management.commands import dumpdata

ROOT = Path(settings.BASE_DIR)
README = (ROOT / "README.md").read_text()
READERS = {"_choice", "_number", "_boolean", "_text", "_secret", "_path", "_sampling", "_duration"} | {
    *("_url", "_safe_url", "_host", "_hosts", "_networks", "_origins", "_time_zone"),
}
HOW_TO_ADD = "How to add a reply style, an import format, a setting"
OWN_APPS = {"accounts", "diary", "search", "traces", "llamora.ops"}


def get_section(title: str) -> str:
    """Return the text under a heading of the README."""
    return README.split(f"\n## {title}\n")[1].split("\n## ")[0]


def list_settings() -> dict[str, object]:
    """Return every environment variable that the settings read, with its default."""
    found: dict[str, object] = {}
    for node in ast.walk(ast.parse((ROOT / "llamora" / "settings.py").read_text())):
        if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
            continue
        called = node.func.id if isinstance(node.func, ast.Name) else ""
        read = isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) == "env"
        if called not in READERS and not read:
            continue
        default = next(
            (k.value for k in node.keywords if k.arg == "default"), node.args[1:2] and node.args[1]
        )
        found[f"LLAMORA_{node.args[0].value}"] = default
    return found


def list_documented_settings() -> dict[str, str]:
    """Return the settings table of the README, as defaults by name."""
    return dict(re.findall(r"^\| `(LLAMORA_\w+)` \| ([^|]*?) \|", README, re.MULTILINE))


def test_every_setting_is_documented_and_every_documented_setting_exists() -> None:
    assert set(list_documented_settings()) == set(list_settings())


def format_default(value: object) -> str:
    """Return a default as the README writes it."""
    if value == "":
        return "empty"
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_the_documented_defaults_are_the_real_ones() -> None:
    found_by_itself = {"LLAMORA_RUNTIME_DIR", "LLAMORA_SECRET_KEY"}
    for name, default in list_settings().items():
        if isinstance(default, ast.Constant) and name not in found_by_itself:
            assert list_documented_settings()[name].strip("`") == format_default(default.value), name


def list_commands() -> list[str]:
    return sorted(name for name, app in get_commands().items() if str(app) in OWN_APPS)


def test_every_command_of_ours_is_documented() -> None:
    table = get_section("Commands")
    assert list_commands()
    for name in list_commands():
        assert re.search(rf"`{name}\b", table), name


def list_options(command: BaseCommand, name: str) -> set[str]:
    """Return the options of a command that are not Django's."""
    parsers = [BaseCommand().create_parser("manage.py", name)]
    if isinstance(command, dumpdata.Command):
        parsers.append(dumpdata.Command().create_parser("manage.py", name))
    of_django = {flag for parser in parsers for flag in parser._option_string_actions}
    return {
        flag
        for flag in command.create_parser("manage.py", name)._option_string_actions
        if flag not in of_django
    }


@pytest.mark.parametrize("name", list_commands())
def test_every_option_is_documented_in_the_row_of_its_command(name: str) -> None:
    (row,) = re.findall(rf"^\| [^|]*`{name}\b.*$", get_section("Commands"), re.MULTILINE)
    command = load_command_class(str(get_commands()[name]), name)

    assert {flag for flag in list_options(command, name) if not re.search(rf"{flag}\b(?!-)", row)} == set()


@pytest.mark.parametrize("name", list_commands())
def test_every_option_in_the_row_of_a_command_exists(name: str) -> None:
    (row,) = re.findall(rf"^\| [^|]*`{name}\b.*$", get_section("Commands"), re.MULTILINE)
    command = load_command_class(str(get_commands()[name]), name)

    assert set(re.findall(r"--[a-z-]+", row)) <= list_options(command, name)


@pytest.mark.parametrize("name", list_commands())
def test_every_option_has_a_help_text(name: str) -> None:
    parser = load_command_class(str(get_commands()[name]), name).create_parser("manage.py", name)

    assert [action.dest for action in parser._actions if action.option_strings and not action.help] == []


@pytest.mark.parametrize("name", list_commands())
def test_every_command_says_what_it_does_and_when_it_refuses(name: str) -> None:
    command = load_command_class(str(get_commands()[name]), name)
    assert len(command.help) > 40
    assert re.search(
        r"refuse|does nothing|nothing here|instead|never|without", command.help, re.IGNORECASE
    ), name


def test_every_picture_is_there() -> None:
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)
    assert len(pictures) >= 3
    for picture in pictures:
        assert (ROOT / picture).read_bytes().startswith(b"\x89PNG"), picture


FIRST_COMMANDS = {
    "up": "python3 -m pip install -q --target .uv uv && .uv/bin/uv run --no-dev manage.py up",
    "test": "python3 -m pip install -q --target .uv uv && .uv/bin/uv run pytest",
}


def test_the_two_first_commands_are_the_ones_promised() -> None:
    first_block = README.split("```sh\n")[1].split("```")[0]
    written = [line.split(" #")[0].rstrip() for line in first_block.splitlines()]

    assert written == list(FIRST_COMMANDS.values())


def test_continuous_integration_gives_the_command_for_tests_and_forbids_skips() -> None:
    script = (ROOT / ".ci" / "run").read_text().splitlines()

    assert f'{FIRST_COMMANDS["test"]} "$@"' in script
    assert "export LLAMORA_TEST_NO_SKIP=1" in script


def test_git_and_ruff_leave_the_folder_of_uv_alone() -> None:
    assert ".uv/" in (ROOT / ".gitignore").read_text().splitlines()
    assert ".uv" in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["extend-exclude"]


def test_the_development_packages_are_installed_by_default() -> None:
    """Without them `uv run pytest` would run another pytest from PATH."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())

    assert "dev" in project["dependency-groups"]
    assert "default-groups" not in project["tool"]["uv"]


def test_the_debian_script_finds_the_first_command(tmp_path: Path) -> None:
    script = (ROOT / ".ci" / "debian").read_text()
    (finder,) = re.findall(r"^command=.*$", script, re.MULTILINE)

    found = subprocess.run(
        ["sh", "-eu", "-c", f'{finder}\necho "$command"'],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert found.stdout.strip() == FIRST_COMMANDS["up"]


SECTIONS = (
    *(
        "The two commands",
        "Phones",
        "Who can see what",
        "Keys",
        "Backup",
        "Upgrading",
        "Packages",
        "Moving to another machine",
    ),
    *(
        "Settings",
        "Commands",
        "How the code is laid out",
        "How to run one test",
        HOW_TO_ADD,
        "How to upgrade a package",
    ),
)


def test_the_sections_stand_in_the_order_in_which_they_are_needed() -> None:
    found = re.findall(r"^## (.+)$", README, re.MULTILINE)

    assert [title for title in found if title in SECTIONS] == list(SECTIONS)
    assert README.index("![A day in Llamora]") < README.index("## The two commands")


def test_the_example_of_one_test_can_be_run() -> None:
    (first, *_) = re.findall(r"pytest -n0 (tests/[\w/.]+)", get_section("How to run one test"))

    assert (ROOT / first).is_file()


def test_every_path_in_the_instructions_exists() -> None:
    named = re.findall(r"`((?:llamora|accounts|diary|templates|tests)/[\w./]*)`", get_section(HOW_TO_ADD))

    assert len(named) >= 7
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_readers_of_settings_are_those_that_the_tests_know() -> None:
    defined = re.findall(
        r"^def (_\w+)\(name: str", (ROOT / "llamora" / "settings.py").read_text(), re.MULTILINE
    )

    assert set(defined) == READERS | {"_refuse", "_read", "_read_list"}


def list_named_paths() -> set[str]:
    """Return the paths in the layout section; those of packages end with a slash."""
    layout = get_section("How the code is laid out")
    return set(
        re.findall(r"`((?:llamora|accounts|diary|traces|search|templates|static|tests)/[\w./]*)`", layout)
    )


def list_packages() -> set[str]:
    """Return all packages with their paths, except those whose place Django decides."""
    roots = {root for root in OWN_APPS if "." not in root} | {"llamora"}
    found = {path.parent for root in roots for path in (ROOT / root).rglob("__init__.py")}
    by_django = {"migrations", "management", "commands", "templatetags"}
    return {
        f"{path.relative_to(ROOT)}/"
        for path in found
        if path.parent != ROOT and not by_django & set(path.parts)
    }


def test_every_package_is_in_the_layout() -> None:
    assert list_packages() - list_named_paths() == set()


def test_every_path_in_the_layout_exists() -> None:
    named = list_named_paths()

    assert len(named) > len(list_packages())
    assert {path for path in named if not (ROOT / path).exists()} == set()


@pytest.mark.parametrize("name", ["ReplyKind", "Person"])
def test_classes_named_in_the_instructions_are_where_they_say(name: str) -> None:
    (path,) = re.findall(rf"`{name}` in `([\w./]+)`", get_section(HOW_TO_ADD))

    assert f"class {name}(" in (ROOT / path).read_text()


def test_each_row_of_the_threat_model_names_tests_that_are_there() -> None:
    table = get_section("Who can see what").split("| Someone has |")[1].split("\n\n")[0]
    rows = [line.split(" | ") for line in table.splitlines()[2:]]

    assert len(rows) > 10
    for row in rows:
        assert len(row) == 4, row
        files = re.findall(r"`(tests/[\w/]+\.py)`", row[3])
        assert files, row
        assert [file for file in files if not (ROOT / file).is_file()] == []
