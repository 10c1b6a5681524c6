"""Static files: the style sheet is served as one file, modules under names by their content."""

import re
from pathlib import Path
from typing import Any

from django.conf import settings as household
from django.core.management import call_command

from llamora.ops.static_files import bundle_stylesheet

SOURCES = Path(household.BASE_DIR) / "static" / "css"


def test_the_served_sheet_holds_every_block_in_its_layer() -> None:
    written = (SOURCES / "app.css").read_text()
    blocks = re.findall(r'url\("([\w-]+\.css)"\)', written)

    served = bundle_stylesheet(written)

    assert len(blocks) > 5
    assert "@import" not in served
    for block in blocks:
        assert (SOURCES / block).read_text() in served
    assert served.index("@layer reset, tokens") < served.index("@layer tokens {")


def test_every_block_is_imported() -> None:
    written = (SOURCES / "app.css").read_text()

    apart = {path.name for path in SOURCES.glob("*.css")} - set(re.findall(r"[\w-]+\.css", written))

    assert apart <= {"app.css", "admin.css"}


def test_what_a_page_is_given_asks_for_no_other_sheet(tmp_path: Path, settings: Any) -> None:
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "llamora.ops.static_files.HashedStaticFilesStorage"},
    }

    call_command("collectstatic", verbosity=0, interactive=False)
    (served,) = (tmp_path / "css").glob("app.????????????.css")

    assert "@import" not in served.read_text()
    assert "@layer tokens {" in served.read_text()
