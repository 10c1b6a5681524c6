"""Static files: what is served is joined and named by its content."""

import re
from pathlib import Path
from typing import Any

from django.core.management import call_command


def test_what_is_collected_asks_for_no_part_of_a_bundle(tmp_path: Path, settings: Any) -> None:
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "llamora.ops.static_files.HashedStaticFilesStorage"},
    }

    call_command("collectstatic", verbosity=0, interactive=False)
    (sheet,) = (tmp_path / "css").glob("app.????????????.css")
    (everyday,) = (tmp_path / "js").glob("everyday.????????????.js")
    modules = list((tmp_path / "js").rglob("*.????????????.js"))
    imported = {
        path for module in modules for path in re.findall(r'"(\.\.?/[\w./]+\.js)"', module.read_text())
    }

    assert "@import" not in sheet.read_text()
    assert "@layer tokens {" in sheet.read_text()
    assert len(modules) > 5
    assert imported >= {f"./{everyday.name}", f"../{everyday.name}"}
    assert all(re.search(r"\.[0-9a-f]{12}\.js$", path) for path in imported)
