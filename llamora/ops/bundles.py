"""Bundles of static files: many small style sheets or JavaScript modules joined into one file.

A style sheet is joined with the sheets that it imports, each in its layer. A module is joined with all the
modules that it imports: each becomes a function that is called once and returns the module's exports, so that
its other names stay private. Modules that few pages need are not bundled; they import bundled modules from
the bundle. Comments and indentation are removed. The sources also work unbundled, only slower.
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
_LINE_END = re.compile(r"(?<=[{,;])\n")
_TRAILING_COMMENT = re.compile(r"\s(?://|/\*)\s")
# What a sheet does without, where each line holds one declaration or one selector.
_SHEET_SPACE = re.compile(r"^([\w-]+:) | (?={$)|;?\n(?=})|(?<=})\n", re.MULTILINE)


class NotBundledError(ValueError):
    """Raised when a source cannot be bundled; the message names the file."""


def join_sheets(path: str, read: ReadSource) -> str:
    """Return a style sheet with its imports replaced by the imported files, each in its layer."""

    def read_import(found: re.Match[str]) -> str:
        rules = read(_resolve(path, found[1]))
        return f"@layer {found[2]} {{\n{rules}}}" if found[2] else rules

    lines = _strip_lines(_CSS_IMPORT.sub(read_import, read(path)))
    return _join_lines(_SHEET_SPACE.sub(r"\1", lines))


def list_modules(path: str, read: ReadSource) -> list[str]:
    """Return the paths of all modules that a module imports, dependencies first."""
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
    """Return a module's source, preceded by all modules that it imports."""
    modules = list_modules(path, read)
    wrapped = [_wrap_module(module, read(module)) for module in modules]
    exported = f"export {{ {', '.join(map(_get_variable, modules))} }};\n"
    return _join_lines(_strip_lines("".join([*wrapped, _replace_imports(path, read(path)), exported])))


def link_module(path: str, read: ReadSource, bundle: str, bundled: Collection[str]) -> str:
    """Return the source of a module outside the bundle, with its imports redirected to the bundle."""
    to_bundle = posixpath.relpath(bundle, posixpath.dirname(path))
    if not to_bundle.startswith("."):
        to_bundle = f"./{to_bundle}"

    def link(found: re.Match[str]) -> str:
        module = _resolve(path, found["path"])
        if module not in bundled:
            return found[0]
        return f'import {{ {_get_variable(module)} }} from "{to_bundle}";\n{_read_exports(found, module)}'

    return _join_lines(_strip_lines(_IMPORT.sub(link, read(path))))


def _resolve(path: str, relative: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), relative))


def _get_variable(module: str) -> str:
    """Return a module's variable in the bundle, such as `$controllers_search`; no source uses `$` itself."""
    return "$" + re.sub(r"\W", "_", module.removeprefix("js/").removesuffix(".js"))


def _read_exports(found: re.Match[str], module: str) -> str:
    """Return the statement that replaces an import: it reads the names from the variable of the module."""
    names = found["names"]
    if names.startswith("{"):
        return f"const {names.replace(' as ', ': ')} = {_get_variable(module)};\n"
    return f"const {names} = {_get_variable(module)}.default;\n"


def _replace_imports(path: str, source: str) -> str:
    return _IMPORT.sub(lambda found: _read_exports(found, _resolve(path, found["path"])), source)


def _wrap_module(path: str, source: str) -> str:
    """Return the definition of a module's variable: a function, called at once, that returns the exports."""
    exports = [f"default: {name}" if default else name for default, _, name in _EXPORT.findall(source)]
    body = _EXPORT.sub(r"\2 \3", _replace_imports(path, source))
    if left := _NOT_JOINED.search(_COMMENT_LINES.sub("", body)):
        raise NotBundledError(f"{path}: `{left[0].strip()}` can't be joined.")
    return f"const {_get_variable(path)} = (() => {{\n{body}return {{ {', '.join(exports)} }};\n}})();\n"


def _strip_lines(source: str) -> str:
    """Return a source without comments and indentation."""
    without_comments = _COMMENT_LINES.sub("", source)
    for line in without_comments.splitlines():
        if line.count("`") % 2:
            raise NotBundledError(f"`{line.strip()}`: a text of several lines would lose its indentation.")
        if _TRAILING_COMMENT.search(line):
            raise NotBundledError(f"`{line.strip()}`: a comment needs lines of its own.")
    return _LINE_START.sub("\n", without_comments).lstrip()


def _join_lines(source: str) -> str:
    """Return a source with fewer lines, without the line ends that follow a brace, comma or semicolon."""
    return _LINE_END.sub("", source)
