"""Tests of bundling static files: complete, or refused."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from django.conf import settings as household

from llamora.ops.bundles import NotBundledError, join_modules, join_sheets, link_module, list_modules
from llamora.ops.static_files import EVERYDAY, STYLESHEETS

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


def squeeze(source: str) -> str:
    """A sheet without what may be left out of it: whitespace, and the last semicolon of a block."""
    return re.sub(r"\s", "", source).replace(";}", "}")


def list_blocks(sheet: str) -> list[str]:
    return re.findall(r'url\("([\w-]+\.css)"\)', read(sheet))


@pytest.mark.parametrize("sheet", STYLESHEETS)
def test_a_sheet_holds_its_blocks_in_their_order(sheet: str) -> None:
    served = join_sheets(sheet, read)

    blocks = ["".join(list_significant_lines(read(f"css/{block}"))) for block in list_blocks(sheet)]
    places = [squeeze(served).index(squeeze(block)) for block in blocks]

    assert len(places) >= 3
    assert places == sorted(places)
    assert "@import" not in served


def test_a_sheet_keeps_the_whitespace_that_means_something() -> None:
    sources = {
        "css/all.css": '@layer a, b;\n\n@import url("one.css") layer(a);\n',
        "css/one.css": (
            "/* One. */\n.a :hover,\n.b > a {\n  --x: calc(1rem + 2px);\n  margin: 0 auto;\n}\n\n"
            '@media (max-width: 48rem) {\n  .a::after {\n    content: "a: {";\n  }\n}\n'
        ),
    }

    served = join_sheets("css/all.css", parse_bundle(sources))

    assert served == (
        "@layer a, b;@layer a{.a :hover,.b > a{--x:calc(1rem + 2px);margin:0 auto}"
        '@media (max-width: 48rem){.a::after{content:"a: {"}}}'
    )


def test_every_block_is_imported_once() -> None:
    written = {path.name for path in (STATIC / "css").glob("*.css")}
    blocks = [block for sheet in STYLESHEETS for block in list_blocks(sheet)]

    assert len(blocks) == len(set(blocks))
    assert written - set(blocks) == {"admin.css", "api-docs.css"} | {
        sheet.removeprefix("css/") for sheet in STYLESHEETS
    }


def test_the_module_holds_every_module_that_it_imports() -> None:
    modules = list_modules(EVERYDAY, read)

    served = join_modules(EVERYDAY, read)

    assert len(modules) > 20
    assert "import " not in served
    squeezed = squeeze(served)
    for module in [*modules, EVERYDAY]:
        body = squeeze("\n".join(list_significant_lines(read(module))))
        assert (body in squeezed) is (module != EVERYDAY), module


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

    assert served == ('import { $b } from "../all.js";const { b, c: d } = $b;import e from "./e.js";b(d, e);')


def test_a_joined_module_runs_once_before_those_that_need_it() -> None:
    sources = {
        "js/all.js": 'import a from "./a.js";\nimport { b } from "./b.js";\nexport const all = [a, b];\n',
        "js/a.js": 'import { b } from "./b.js";\nexport default function a() {\n  return b;\n}\n',
        "js/b.js": "/* The only\n   one. */\nexport const b = 1;\n",
    }

    served = join_modules("js/all.js", parse_bundle(sources))

    assert served == (
        "const $b = (() => {const b = 1;return { b };})();"
        "const $a = (() => {const { b } = $b;function a() {return b;}\nreturn { default: a };})();"
        "const a = $a.default;const { b } = $b;export const all = [a, b];export { $b, $a };"
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


def test_a_comment_behind_code_is_refused() -> None:
    with pytest.raises(NotBundledError, match="lines of its own"):
        join_modules("js/a.js", parse_bundle({"js/a.js": "const a = 1; // one,\nconst b = 2;\n"}))


def test_every_file_that_a_template_links_exists() -> None:
    templates = Path(household.BASE_DIR).joinpath("templates").rglob("*.html")
    linked = {
        name
        for path in templates
        for name in re.findall(r"""static\(["']([^"'{}]+)["']\)""", path.read_text())
    }

    assert len(linked) > 10
    assert {name for name in linked if not (STATIC / name).is_file()} == set()
