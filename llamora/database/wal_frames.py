"""Check of the frames of SQLite's write-ahead log, read as a plain file before SQLite opens it.

SQLite reads the log up to the first frame with a wrong checksum, and silently ignores the rest. A killed
process leaves at most its last commit unfinished. So two or more complete commits after a bad frame mean
damage: of the disk, of a copy, or by a program that wrote into the file.

    header  u32 magic | u32 version | u32 page size | u32 number | u32 salt | u32 salt | u32 sum | u32 sum
    frame   u32 page | u32 size of the database, or 0 if this is not the last of a commit |
            u32 salt | u32 salt | u32 sum | u32 sum | page

Numbers are big-endian. The two sums cover the first 24 bytes of the header and, of each frame up to this one,
the first 8 bytes and the page. The magic says in which byte order they are computed. A frame with other salts
than the header is from an earlier round, which was copied into the database file.
https://www.sqlite.org/fileformat2.html#walformat
"""

import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from operator import mul
from pathlib import Path
from typing import IO, Final

_HEADER = struct.Struct(">8I")
_FRAME = struct.Struct(">6I")
_MAGIC: Final = {0x377F0682: "<", 0x377F0683: ">"}
_WORD = 2**32
_PAGE_SIZES: Final = frozenset(2**power for power in range(9, 17))
_DEFAULT_PAGE_SIZE = 4096
# One is the last commit, which a power cut may leave unfinished.
_MOST_UNFINISHED = 1
# Of the first page: the header of the database.
_DATABASE_HEADER_BYTES = 100

Sums = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class WalScan:
    """The result of checking a write-ahead log: how many commits SQLite reads, and how many it ignores.

    `database_header` is the header of the database after the last commit that SQLite reads, if the log
    contains that header.
    """

    commits: int = 0
    commits_after_damage: int = 0
    is_header_damaged: bool = False
    database_header: bytes | None = None

    @property
    def is_damaged(self) -> bool:
        """Whether the log is damaged: SQLite ignores more than one of its commits.

        One ignored commit is no sign of damage, because a power cut may have interrupted that commit.
        """
        return self.commits_after_damage > _MOST_UNFINISHED


def scan_wal(path: Path) -> WalScan:
    """Check a write-ahead log; return an empty result if it is missing or shorter than its header.

    The file may be closed while SQLite has it open, because SQLite holds no locks on it.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return WalScan()
    with file:
        while True:
            header = file.read(_HEADER.size)
            if len(header) < _HEADER.size:
                return WalScan()
            scan = _scan_frames(file, header)
            file.seek(0)
            # A program that writes meanwhile may have begun a new round.
            if not scan.is_damaged or file.read(_HEADER.size) == header:
                return scan
            file.seek(0)


def _scan_frames(file: IO[bytes], header: bytes) -> WalScan:
    magic, _, page_size, _, *salts, first_sum, second_sum = _HEADER.unpack(header)
    order = _MAGIC.get(magic, "")
    if page_size not in _PAGE_SIZES:
        order, page_size = "", _DEFAULT_PAGE_SIZE
    sums = (first_sum, second_sum)
    if not order or _add_to_sums((0, 0), header[:24], order) != sums:
        return WalScan(is_header_damaged=True, commits_after_damage=_count_commits(file, page_size, None))
    commits, pending, committed = 0, None, None
    for head, page in _read_frames(file, page_size):
        number, size, *frame_salts, first_sum, second_sum = _FRAME.unpack(head)
        sums = _add_to_sums(sums, head[:8] + page, order)
        if frame_salts != salts or sums != (first_sum, second_sum) or not number:
            break
        if number == 1:
            pending = page[:_DATABASE_HEADER_BYTES]
        if size:
            commits, committed = commits + 1, pending or committed
    return WalScan(
        commits=commits,
        commits_after_damage=_count_commits(file, page_size, salts),
        database_header=committed,
    )


def _count_commits(file: IO[bytes], page_size: int, salts: list[int] | None) -> int:
    """Count the frames that end a commit and have these salts, or by default the most frequent salts."""
    found = Counter[tuple[int, ...]]()
    for head, _ in _read_frames(file, page_size):
        number, size, *frame_salts, _, _ = _FRAME.unpack(head)
        if number and size:
            found[tuple(frame_salts)] += 1
    return max(found.values(), default=0) if salts is None else found[tuple(salts)]


def _read_frames(file: IO[bytes], page_size: int) -> Iterator[tuple[bytes, bytes]]:
    while len(frame := file.read(_FRAME.size + page_size)) == _FRAME.size + page_size:
        yield frame[: _FRAME.size], frame[_FRAME.size :]


def _add_to_sums(sums: Sums, content: bytes, order: str) -> Sums:
    """Return both sums after more content.

    SQLite computes, for each pair of words, `first += word + second` and then `second += word + first`. This
    is linear, so each result is a sum of all words and of both former sums, with fixed factors. In Python,
    this is ten times as fast as the loop.
    """
    count = len(content) // 4
    words = struct.unpack(f"{order}{count}I", content)
    before, factors = _build_factors(count)
    first = sum(map(mul, factors[0], words)) + before[0][0] * sums[0] + before[0][1] * sums[1]
    second = sum(map(mul, factors[1], words)) + before[1][0] * sums[0] + before[1][1] * sums[1]
    return first % _WORD, second % _WORD


@cache
def _build_factors(count: int) -> tuple[tuple[Sums, Sums], tuple[list[int], list[int]]]:
    """Return the factors of the two former sums, then those of `count` words, for each new sum."""
    factors: tuple[list[int], list[int]] = ([], [])
    # What a pair of sums becomes after the pairs of words that follow, of which there are none at the end.
    (a, b), (c, d) = (1, 0), (0, 1)
    for _ in range(count // 2):
        # The second word adds to the second sum, the first word to both.
        factors[0].extend((b, (a + b) % _WORD))
        factors[1].extend((d, (c + d) % _WORD))
        (a, b), (c, d) = ((a + b) % _WORD, (a + 2 * b) % _WORD), ((c + d) % _WORD, (c + 2 * d) % _WORD)
    factors[0].reverse()
    factors[1].reverse()
    return ((a, b), (c, d)), factors
