"""The clock's record, a file beside the database: the elapsed time at the last reading of the clocks.

    register/clock.json   an `ElapsedTime` (`llamora.clock.elapsed_time`) as JSON, with mode 0600

It is not in the database, because it decides when access tokens and sign-ins expire, and an attacker who can
write to the database must not extend them. It is in the folder of the register
(`llamora.database.credential_register`): if that folder is lost, no token and no sign-in is valid.
"""

import json
from pathlib import Path

from llamora.clock.elapsed_time import ElapsedTime
from llamora.database.credential_register import get_register_folder, write_register_file

NAME = "clock.json"


def get_record_path() -> Path:
    """Return the path of the clock's record, a file beside the database."""
    return Path(get_register_folder()) / NAME


def read_record() -> ElapsedTime | None:
    """Return the state at the last observation, or None if there is no valid file."""
    try:
        return ElapsedTime.from_json(json.loads(get_record_path().read_bytes()))
    except (OSError, TypeError, ValueError, KeyError, AttributeError, RecursionError):
        # As if the household were new: nothing is deleted for its age until more was observed.
        return None


def write_record(found: ElapsedTime) -> None:
    """Write the state atomically; raise NotWritten."""
    write_register_file(NAME, json.dumps(found.to_json()).encode("ascii"))


def remove_record() -> None:
    """Delete the record, as if the clock had never been observed."""
    get_record_path().unlink(missing_ok=True)
