"""The few files that a browser is sent, made of the many small ones that people read.

A style sheet is joined with the sheets that it imports, each in its layer. A module is joined with all the
modules that it imports: each becomes a function that runs once and returns what the module exports, so that
its other names stay its own. A module outside, which few pages fetch, then imports from the bundle. Comments
on lines of their own and indentation are left out. The sources work in a browser as they are, only slower.
"""

import posixpath
import re
from collections.abc import Callable, Collection

# Returns the text of a static file by its path, as in `css/app.css`.
ReadSource = Callable[[str], str]

_CSS_IMPORT = re.compile(r'@import url\("([\w-]+\.css)"\)(?: layer\((\w+)\))?;')
_IMPORT = re.compile(r'^import (?P<names>[^";]+?) from "(?P<path>[\w./-]+\.js)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (default )?((?:async )?function|const) (\w+)", re.MULTILINE)
_NOT_JOINED = re.compile(r"^\s*(?:import|export)\b.*|\bimport\(.*", re.MULTILINE)
_COMMENT_LINES = re.compile(r"^[ \t]*(?:/\*.*?\*/|//[^\n]*)[ \t]*\n", re.MULTILINE | re.DOTALL)
_LINE_START = re.compile(r"\n\s+")


class NotBundledError(ValueError):
    """A source is written in a way that cannot be joined; the message names the file."""


def join_sheets(path: str, read: ReadSource) -> str:
    """Return a style sheet with the files it imports in their places, each in the layer it was given."""

    def read_import(found: re.Match[str]) -> str:
        rules = read(_resolve(path, found[1]))
        return f"@layer {found[2]} {{\n{rules}}}" if found[2] else rules

    return _shrink(_CSS_IMPORT.sub(read_import, read(path)))


def list_modules(path: str, read: ReadSource) -> list[str]:
    """Return the paths of all modules that a module imports, each after those that it needs itself."""
    listed: list[str] = []

    def add(module: str, importers: tuple[str, ...]) -> None:
        if module in importers:
            raise NotBundledError(f"{' imports '.join([*importers, module])}: a circle.")
        for found in _IMPORT.finditer(read(module)):
            add(_resolve(module, found["path"]), (*importers, module))
        if module not in listed:
            listed.append(module)

    add(path, ())
    return listed[:-1]


def join_modules(path: str, read: ReadSource) -> str:
    """Return a module with all that it imports before it."""
    modules = list_modules(path, read)
    wrapped = [_wrap_module(module, read(module)) for module in modules]
    exported = f"export {{ {', '.join(map(_get_variable, modules))} }};\n"
    return _shrink("".join([*wrapped, _replace_imports(path, read(path)), exported]))


def link_module(path: str, read: ReadSource, bundle: str, bundled: Collection[str]) -> str:
    """Return a module that imports from the bundle what its source imports from modules joined there."""
    to_bundle = posixpath.relpath(bundle, posixpath.dirname(path))
    if not to_bundle.startswith("."):
        to_bundle = f"./{to_bundle}"

    def link(found: re.Match[str]) -> str:
        module = _resolve(path, found["path"])
        if module not in bundled:
            return found[0]
        return f'import {{ {_get_variable(module)} }} from "{to_bundle}";\n{_read_exports(found, module)}'

    return _shrink(_IMPORT.sub(link, read(path)))


def _resolve(path: str, relative: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), relative))


def _get_variable(module: str) -> str:
    """Return the name that stands for a module in the bundle: `$controllers_search`; no source begins so."""
    return "$" + re.sub(r"\W", "_", module.removeprefix("js/").removesuffix(".js"))


def _read_exports(found: re.Match[str], module: str) -> str:
    """Return an import as the reading of what a module of the bundle returned."""
    names = found["names"]
    if names.startswith("{"):
        return f"const {names.replace(' as ', ': ')} = {_get_variable(module)};\n"
    return f"const {names} = {_get_variable(module)}.default;\n"


def _replace_imports(path: str, source: str) -> str:
    return _IMPORT.sub(lambda found: _read_exports(found, _resolve(path, found["path"])), source)


def _wrap_module(path: str, source: str) -> str:
    """Return a module as a variable: a function that is called at once and returns the exports."""
    exports = [f"default: {name}" if default else name for default, _, name in _EXPORT.findall(source)]
    body = _EXPORT.sub(r"\2 \3", _replace_imports(path, source))
    if left := _NOT_JOINED.search(_COMMENT_LINES.sub("", body)):
        raise NotBundledError(f"{path}: `{left[0].strip()}` cannot be joined.")
    return f"const {_get_variable(path)} = (() => {{\n{body}return {{ {', '.join(exports)} }};\n}})();\n"


def _shrink(source: str) -> str:
    """Return a source without comment lines and indentation: a seventh less to transfer."""
    without_comments = _COMMENT_LINES.sub("", source)
    for line in without_comments.splitlines():
        if line.count("`") % 2:
            raise NotBundledError(f"`{line.strip()}`: a text of several lines would lose its indentation.")
    return _LINE_START.sub("\n", without_comments).lstrip()
