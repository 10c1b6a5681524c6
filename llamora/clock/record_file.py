"""The record of passed time: what was known at the last observation, in a file beside the database.

    register/clock.json   the evidence of `llamora.clock.passed_time` as JSON, with mode 0600

It is not in the database: by its age an access token expires, and with its steps the times of sign-ins are
moved, so whoever writes to the database must not choose it. It lies beside the register of rows
(`llamora.database.row_register`): where the folder is lost, neither a token nor a browser is let in.
"""

import json
from pathlib import Path

from llamora.clock.passed_time import PassedTime
from llamora.database.row_register import get_register_folder, write_register_file

NAME = "clock.json"


def get_record_path() -> Path:
    """Return the path of the record."""
    return Path(get_register_folder()) / NAME


def read_record() -> PassedTime | None:
    """Return what was known at the last observation; None if there was none, or the file is damaged."""
    try:
        return PassedTime.from_json(json.loads(get_record_path().read_bytes()))
    except (OSError, TypeError, ValueError, KeyError, AttributeError, RecursionError):
        # As if the household were new: nothing is deleted for its age until more was observed.
        return None


def write_record(found: PassedTime) -> None:
    """Write what is known now, whole or not at all; raise NotWritten."""
    write_register_file(NAME, json.dumps(found.to_json()).encode("ascii"))


def remove_record() -> None:
    """Remove the record, as in a household that never observed its clock."""
    get_record_path().unlink(missing_ok=True)
