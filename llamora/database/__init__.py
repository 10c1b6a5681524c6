"""How this process writes to its one SQLite file: one writer at a time, in the order they came."""

from llamora.database.errors import FenceRefused, NotWritten
from llamora.database.prepared import Prepared
from llamora.database.working import OneAtATime, waiting
from llamora.database.writing import writing

__all__ = ["FenceRefused", "NotWritten", "OneAtATime", "Prepared", "waiting", "writing"]
