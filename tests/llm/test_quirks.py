"""Tests that every recorded exchange gives the same result, wherever the network splits it."""

from itertools import pairwise

import pytest

from tests.llm.recordings import RECORDINGS, Reading, Recording, read_chunks

FEW_CUTS = 24


def expect(recording: Recording) -> Reading:
    return Reading(recording.text, recording.thought, recording.end)


def replace_thought(reading: Reading, recording: Recording) -> Reading:
    """Leave out a thought that is only known as one afterwards: what is shown of it depends on the cuts."""
    return reading if recording.thought else Reading(reading.text, "", reading.end)


def read_cut(recording: Recording, *cuts: int) -> Reading:
    edges = [0, *cuts, len(recording.body)]
    chunks = [recording.body[start:end] for start, end in pairwise(edges)]
    return replace_thought(read_chunks(chunks), recording)


@pytest.mark.parametrize("name", RECORDINGS)
def test_a_recorded_exchange_is_read_rightly_whole_byte_by_byte_and_cut_at_some_bytes(name: str) -> None:
    recording = RECORDINGS[name]
    size = len(recording.body)

    assert read_cut(recording) == expect(recording)
    assert read_cut(recording, *range(1, size)) == expect(recording)
    for cut in range(1, size, size // FEW_CUTS + 1):
        assert read_cut(recording, cut) == expect(recording), cut


@pytest.mark.slow
@pytest.mark.parametrize("name", RECORDINGS)
def test_a_recorded_exchange_is_read_rightly_cut_at_every_byte(name: str) -> None:
    recording = RECORDINGS[name]

    for cut in range(1, len(recording.body)):
        assert read_cut(recording, cut) == expect(recording), cut
    for size in range(2, 40):
        assert read_cut(recording, *range(size, len(recording.body), size)) == expect(recording), size
