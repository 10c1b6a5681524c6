"""The tests. Importing them, which is the first thing pytest does here, compares the installed packages."""

from pathlib import Path

from llamora.package_hashes import verify_installed_packages

verify_installed_packages(Path(__file__).resolve().parent.parent)
