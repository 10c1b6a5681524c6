"""The tests. Importing this package first compares the installed packages with the pinned ones."""

from pathlib import Path

from llamora.package_hashes import verify_installed_packages

verify_installed_packages(Path(__file__).resolve().parent.parent)
