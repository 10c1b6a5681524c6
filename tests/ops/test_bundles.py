"""Tests of bundling static files: complete, or refused."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from django.conf import settings as household

from llamora.ops.bundles import NotBundledError, join_modules, join_sheets, link_module, list_modules
from llamora.ops.static_files import EVERYDAY, STYLESHEET

STATIC = Path(household.BASE_DIR) / "static"
CONTROLLERS = re.compile(r'data-controller="([\w ]+)"')
COMMENTS = re.compile(r"^[ \t]*(?:/\*.*?\*/|//[^\n]*)\n", re.MULTILINE | re.DOTALL)


def read(path: str) -> str:
    return (STATIC / path).read_text()


def parse_bundle(sources: Mapping[str, str]) -> Callable[[str], str]:
    return sources.__getitem__


def list_significant_lines(source: str) -> list[str]:
    """Return the lines of a module that a bundle must contain: no comments, imports and exports."""
    written = (line.strip() for line in COMMENTS.sub("", source).splitlines())
    return [re.sub(r"^export (default )?", "", line) for line in written if not line.startswith("import ")]


def test_the_sheet_holds_every_block_in_its_layer() -> None:
    written = read(STYLESHEET)
    blocks = re.findall(r'url\("([\w-]+\.css)"\)', written)

    served = join_sheets(STYLESHEET, read)

    assert len(blocks) > 5
    assert "@import" not in served
    for block in blocks:
        assert "\n".join(filter(None, list_significant_lines(read(f"css/{block}")))) in served
    assert served.index("@layer reset, tokens") < served.index("@layer tokens {")


def test_every_block_is_imported() -> None:
    apart = {path.name for path in (STATIC / "css").glob("*.css")}
    apart -= set(re.findall(r"[\w-]+\.css", read(STYLESHEET)))

    assert apart <= {"app.css", "admin.css"}


def test_the_module_holds_every_module_that_it_imports() -> None:
    modules = list_modules(EVERYDAY, read)

    served = join_modules(EVERYDAY, read)

    assert len(modules) > 20
    assert "import " not in served
    served_lines = {re.sub(r"^export ", "", line) for line in served.splitlines()}
    for module in [*modules, EVERYDAY]:
        assert set(filter(None, list_significant_lines(read(module)))) <= served_lines, module


def test_every_module_is_in_the_bundle_or_named_by_the_entry_point() -> None:
    written = {str(path.relative_to(STATIC)) for path in (STATIC / "js").rglob("*.js")}
    named = {f"js/{path}" for path in re.findall(r'import\("\./([\w/]+\.js)"\)', read("js/app.js"))}

    assert written == {"js/app.js", EVERYDAY} | set(list_modules(EVERYDAY, read)) | named


def test_every_controller_of_the_templates_is_one_that_the_scripts_know() -> None:
    sources = [path.read_text() for path in (Path(household.BASE_DIR) / "templates").rglob("*.html")]
    named = {name for source in sources for names in CONTROLLERS.findall(source) for name in names.split()}

    written = {path.stem for path in (STATIC / "js" / "controllers").glob("*.js")}

    assert named == written


def test_a_module_outside_imports_from_the_bundle() -> None:
    sources = {"js/rare/a.js": 'import { b, c as d } from "../b.js";\nimport e from "./e.js";\nb(d, e);\n'}

    served = link_module("js/rare/a.js", parse_bundle(sources), "js/all.js", ["js/b.js"])

    assert served == (
        'import { $b } from "../all.js";\nconst { b, c: d } = $b;\nimport e from "./e.js";\nb(d, e);\n'
    )


def test_a_joined_module_runs_once_before_those_that_need_it() -> None:
    sources = {
        "js/all.js": 'import a from "./a.js";\nimport { b } from "./b.js";\nexport const all = [a, b];\n',
        "js/a.js": 'import { b } from "./b.js";\nexport default function a() {\n  return b;\n}\n',
        "js/b.js": "/* The only\n   one. */\nexport const b = 1;\n",
    }

    served = join_modules("js/all.js", parse_bundle(sources))

    assert served == (
        "const $b = (() => {\nconst b = 1;\nreturn { b };\n})();\n"
        "const $a = (() => {\nconst { b } = $b;\n"
        "function a() {\nreturn b;\n}\nreturn { default: a };\n})();\n"
        "const a = $a.default;\nconst { b } = $b;\nexport const all = [a, b];\nexport { $b, $a };\n"
    )


@pytest.mark.parametrize(
    "source",
    [
        'export * from "./c.js";\n',
        "export let b = 1;\n",
        'import "./c.js";\n',
        'const c = () => import("./c.js");\n',
    ],
)
def test_a_form_that_cannot_be_joined_is_refused(source: str) -> None:
    sources = {"js/a.js": 'import { b } from "./b.js";\n', "js/b.js": source}

    with pytest.raises(NotBundledError, match=r"js/b\.js"):
        join_modules("js/a.js", parse_bundle(sources))


def test_modules_in_a_circle_are_refused() -> None:
    sources = {"js/a.js": 'import { b } from "./b.js";\n', "js/b.js": 'import { a } from "./a.js";\n'}

    with pytest.raises(NotBundledError, match="circle"):
        join_modules("js/a.js", parse_bundle(sources))


def test_a_text_of_several_lines_is_refused() -> None:
    with pytest.raises(NotBundledError, match="several lines"):
        join_modules("js/a.js", parse_bundle({"js/a.js": "const a = `one\n  two`;\n"}))
