"""Storage of static files: bundles and compresses them, and adds a hash of the content to their names."""

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

# The sheet of every page, and what the pages of traces need besides.
STYLESHEETS = ("css/app.css", "css/occasional-pages.css")
# What every page of a diary needs; `js/app.js` imports it, and also the modules that few pages need.
EVERYDAY = "js/everyday.js"
_NAMED_BY_CONTENT = re.compile(r"\.[0-9a-f]{12}\.\w+$")


class DiaryCompressor(Compressor):  # type: ignore[misc]  # whitenoise is untyped
    """Compressor that uses gzip for all files, and also Brotli for files outside the admin.

    Brotli files are a tenth smaller, but compressing the files of the admin would delay the first start by
    seconds.
    """

    def compress(self, path: str) -> list[str]:
        """Write compressed versions of a file beside it; return their paths."""
        is_of_admin = Path(settings.STATIC_ROOT, "admin") in Path(path).parents
        if _NAMED_BY_CONTENT.search(path) and not is_of_admin:
            return list(super().compress(path))
        by_gzip = Compressor(use_brotli=False, quiet=True)
        return list(by_gzip.compress(path))


class HashedStaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # whitenoise is untyped
    """Storage that bundles our files and adds a hash to each name, also in import statements of scripts.

    Django's own pattern for imports also matches scripts of other packages and fails on mentions of imports;
    ours matches only our own scripts.
    """

    support_js_module_import_aggregation = True
    _js_module_import_aggregation_patterns = (
        "js/*.js",
        CompressedManifestStaticFilesStorage._js_module_import_aggregation_patterns[1],
    )

    def create_compressor(self, **options: Any) -> DiaryCompressor:
        """Return the compressor; called by whitenoise."""
        return DiaryCompressor(**options)

    def post_process(self, paths: dict[str, Any], dry_run: bool = False, **options: Any) -> Iterator[Any]:
        """Bundle the files, then add hashes to their names; bundled files are not stored separately."""
        if EVERYDAY in paths:
            paths = _bundle(paths)
        yield from super().post_process(paths, dry_run=dry_run, **options)


def _bundle(paths: dict[str, Any]) -> dict[str, Any]:
    """Return the files that `collectstatic` has found, with our own files joined."""
    bundles = InMemoryStorage()

    def read(path: str) -> str:
        if path not in paths:
            raise FileNotFoundError(f"{path} is imported, but does not exist.")
        storage, stored_path = paths[path]
        with storage.open(stored_path) as file:
            return str(file.read().decode("utf-8"))

    modules = list_modules(EVERYDAY, read)
    joined = {sheet: join_sheets(sheet, read) for sheet in STYLESHEETS}
    joined[EVERYDAY] = join_modules(EVERYDAY, read)
    for path in paths:
        if path.startswith("js/") and path not in joined and path not in modules:
            joined[path] = link_module(path, read, EVERYDAY, modules)
    for path, source in joined.items():
        bundles.save(path, ContentFile(source.encode("utf-8")))
    alone = {path: found for path, found in paths.items() if path not in modules}
    return alone | {path: (bundles, path) for path in joined}
