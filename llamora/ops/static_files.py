"""How static files are stored: one style sheet, all compressed and named by their content."""

import re
from collections.abc import Iterator
from typing import Any

from django.contrib.staticfiles import finders
from django.core.files.base import ContentFile
from django.core.files.storage import InMemoryStorage
from whitenoise.storage import CompressedManifestStaticFilesStorage

STYLESHEET = "css/app.css"
_CSS_IMPORT = re.compile(r'@import url\("([\w-]+\.css)"\)(?: layer\((\w+)\))?;')


def bundle_stylesheet(sheet: str) -> str:
    """Return a style sheet with the files it imports in their places, each in the layer it was given."""

    def imported(found: re.Match[str]) -> str:
        path = finders.find(f"css/{found[1]}")
        if path is None:
            raise FileNotFoundError(f"{STYLESHEET} imports {found[1]}, which is not there.")
        with open(path, encoding="utf-8") as file:
            rules = file.read()
        return f"@layer {found[2]} {{\n{rules}}}" if found[2] else rules

    return _CSS_IMPORT.sub(imported, sheet)


class HashedStaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # whitenoise is untyped
    """Names every file by its content, the modules that our modules import included.

    The style sheet is written a file for each block and served as one: ten requests less for a cold page.
    Django's own pattern for imports also reads the scripts of other packages, and fails on what some
    of them only mention; ours are the ones that import.
    """

    support_js_module_import_aggregation = True
    _js_module_import_aggregation_patterns = (
        "js/*.js",
        CompressedManifestStaticFilesStorage._js_module_import_aggregation_patterns[1],
    )

    def post_process(self, paths: dict[str, Any], dry_run: bool = False, **options: Any) -> Iterator[Any]:
        """Name the files by their content, the sheet with its blocks in it."""
        if STYLESHEET in paths:
            storage, path = paths[STYLESHEET]
            with storage.open(path) as written:
                whole = InMemoryStorage()
                whole.save(
                    STYLESHEET, ContentFile(bundle_stylesheet(written.read().decode("utf-8")).encode("utf-8"))
                )
            paths = {**paths, STYLESHEET: (whole, STYLESHEET)}
        yield from super().post_process(paths, dry_run=dry_run, **options)
