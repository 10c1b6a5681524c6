"""The storage of static files: one style sheet, one module; every file compressed, named by its content."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import InMemoryStorage
from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage

from llamora.ops.bundles import join_modules, join_sheets, link_module, list_modules

STYLESHEET = "css/app.css"
# What every page of a diary needs; `js/app.js` imports it, and also the modules that few pages need.
EVERYDAY = "js/everyday.js"
_NAMED_BY_CONTENT = re.compile(r"\.[0-9a-f]{12}\.\w+$")


class DiaryCompressor(Compressor):  # type: ignore[misc]  # whitenoise is untyped
    """Compresses by Brotli what the pages of a diary need, and by gzip everything.

    Brotli saves a tenth of gzip's size, but the admin's files alone would take it seconds of the first start.
    """

    def compress(self, path: str) -> list[str]:
        """Write the compressed files beside the file; return their paths."""
        is_of_admin = Path(settings.STATIC_ROOT, "admin") in Path(path).parents
        if _NAMED_BY_CONTENT.search(path) and not is_of_admin:
            return list(super().compress(path))
        by_gzip = Compressor(use_brotli=False, quiet=True)
        return list(by_gzip.compress(path))


class HashedStaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # whitenoise is untyped
    """A storage that joins our files into bundles and names every file by its content, also in imports.

    Django's own pattern for imports also reads the scripts of other packages, and fails on what some
    of them only mention; only ours import.
    """

    support_js_module_import_aggregation = True
    _js_module_import_aggregation_patterns = (
        "js/*.js",
        CompressedManifestStaticFilesStorage._js_module_import_aggregation_patterns[1],
    )

    def create_compressor(self, **options: Any) -> DiaryCompressor:
        """Return what compresses the files; whitenoise asks for it."""
        return DiaryCompressor(**options)

    def post_process(self, paths: dict[str, Any], dry_run: bool = False, **options: Any) -> Iterator[Any]:
        """Join the files, then name them by their content; what is in a bundle is not served by itself."""
        if STYLESHEET in paths and EVERYDAY in paths:
            paths = _bundle(paths)
        yield from super().post_process(paths, dry_run=dry_run, **options)


def _bundle(paths: dict[str, Any]) -> dict[str, Any]:
    """Return what `collectstatic` has found, with our own files joined."""
    bundles = InMemoryStorage()

    def read(path: str) -> str:
        if path not in paths:
            raise FileNotFoundError(f"{path} is imported, and is not there.")
        storage, stored_path = paths[path]
        with storage.open(stored_path) as file:
            return str(file.read().decode("utf-8"))

    modules = list_modules(EVERYDAY, read)
    joined = {STYLESHEET: join_sheets(STYLESHEET, read), EVERYDAY: join_modules(EVERYDAY, read)}
    for path in paths:
        if path.startswith("js/") and path not in joined and path not in modules:
            joined[path] = link_module(path, read, EVERYDAY, modules)
    for path, source in joined.items():
        bundles.save(path, ContentFile(source.encode("utf-8")))
    alone = {path: found for path, found in paths.items() if path not in modules}
    return alone | {path: (bundles, path) for path in joined}
