"""Tests of parsing the header of a `.gguf` file, including damaged and hostile files."""

import os
import struct
from pathlib import Path

import pytest
from gguf import GGUFReader
from gguf.constants import GGML_QUANT_SIZES, LlamaFileType
from hypothesis import given, settings
from hypothesis import strategies as st

from llamora.llm.model_files.gguf import (
    FILE_TYPES,
    MOST_HEADER_BYTES,
    TENSOR_TYPES,
    GgufFacts,
    UnreadableModelFile,
    is_later_part,
    read_gguf,
)
from tests.fakes.gguf_file import ARRAY, INSTRUCT, STRING, Tensor, build_gguf, pack_string, write_gguf
from tests.fakes.tiny_model import write_tiny_model

HUGE = 1 << 62


def get_code(path: Path) -> str:
    with pytest.raises(UnreadableModelFile) as caught:
        read_gguf(path)
    return caught.value.code


def test_the_facts_are_those_that_the_package_gguf_reads(shared: Path, tmp_path: Path) -> None:
    path = write_tiny_model(shared, tmp_path)

    facts, reader = read_gguf(path), GGUFReader(path)

    assert facts == GgufFacts(
        architecture="llama",
        name="tiny-random",
        parameters=sum(int(tensor.n_elements) for tensor in reader.tensors),
        context_window=4096,
        has_chat_template=True,
        quantisation="F32",
        size=path.stat().st_size,
        cache_bytes=2 * 2 * 64 * 2,
    )
    assert facts.parameters > 50_000
    assert facts.writes_text


def test_the_tables_are_those_of_the_package_gguf() -> None:
    assert {kind: sizes for kind, (_, *sizes) in TENSOR_TYPES.items()} == {
        int(kind): [*sizes] for kind, sizes in GGML_QUANT_SIZES.items()
    }
    assert {kind: name for kind, (name, *_) in TENSOR_TYPES.items()} == {
        int(kind): kind.name for kind in GGML_QUANT_SIZES
    }
    assert {
        int(kind): kind.name.removeprefix("MOSTLY_").removeprefix("ALL_")
        for kind in LlamaFileType
        if kind.name != "GUESSED"
    } == FILE_TYPES


def test_a_model_says_what_it_is(tmp_path: Path) -> None:
    facts = read_gguf(write_gguf(tmp_path / "a.gguf"))

    assert (facts.name, facts.quantisation, facts.context_window) == ("Heron 3B Instruct", "Q4_K_M", 8192)
    assert facts.parameters == 2 * 256 * 16
    assert facts.cache_bytes == 2 * 2 * 2 * 32
    assert facts.has_chat_template


def test_what_a_file_does_not_say_is_empty(tmp_path: Path) -> None:
    values = {"general.architecture": "bert", "bert.attention.head_count_kv": (2, 0, 4)}

    facts = read_gguf(write_gguf(tmp_path / "a.gguf", build_gguf(values, (), data=0)))

    assert facts == GgufFacts(architecture="bert", size=facts.size)
    assert not facts.writes_text


def test_a_split_model_is_read_with_all_its_files(tmp_path: Path) -> None:
    names = [f"big-0000{number}-of-00003.gguf" for number in (1, 2, 3)]
    first, *_ = paths = [write_gguf(tmp_path / name) for name in names]
    facts = read_gguf(first)
    paths[1].unlink()

    assert (facts.parameters, facts.size) == (3 * 2 * 256 * 16, 3 * first.stat().st_size)
    assert [is_later_part(name) for name in (*names, "a.gguf")] == [False, True, True, False]
    assert get_code(first) == "incomplete"


# --- Files that are no complete model ---------------------------------------------------------------------


def test_every_file_that_is_cut_off_is_incomplete(tmp_path: Path) -> None:
    whole = build_gguf()
    header = whole.index(bytes(2000))
    path = tmp_path / "a.gguf"

    for length in (*range(0, header, 7), header - 1, len(whole) - 1):
        path.write_bytes(whole[:length])
        assert get_code(path) == "incomplete"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"<!doctype html><title>Sign in</title>", "no_gguf"),
        (build_gguf(version=1), "unsupported"),
        (build_gguf(version=3 << 24), "unsupported"),
        (build_gguf(counts=(HUGE, 0)), "damaged"),
        (build_gguf(counts=(2, HUGE)), "damaged"),
        (build_gguf({}), "damaged"),
        (build_gguf(INSTRUCT, [Tensor("a", [1] * 9)]), "damaged"),
        (build_gguf(INSTRUCT, [Tensor("a", [HUGE] * 4)]), "damaged"),
        (build_gguf(INSTRUCT, [Tensor("a", [8], offset=HUGE)]), "damaged"),
        (build_gguf(INSTRUCT, [Tensor("a", [8], offset=1 << 20)]), "incomplete"),
        (build_gguf(INSTRUCT, [Tensor("a", [8], kind=77, offset=1 << 20)]), "incomplete"),
        (build_gguf(INSTRUCT | {"general.alignment": 1 << 31}), "incomplete"),
    ],
)
def test_nonsense_is_refused_with_its_reason(tmp_path: Path, content: bytes, code: str) -> None:
    assert get_code(write_gguf(tmp_path / "a.gguf", content)) == code


def build_one_value(kind: int, value: bytes) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + pack_string("k") + struct.pack("<I", kind) + value


@pytest.mark.parametrize(
    ("kind", "value", "code"),
    [
        (77, b"", "damaged"),
        (STRING, struct.pack("<Q", HUGE), "incomplete"),
        (ARRAY, struct.pack("<IQ", STRING, HUGE), "incomplete"),
        (ARRAY, struct.pack("<IQ", ARRAY, 1), "damaged"),
        (ARRAY, struct.pack("<IQ", 77, 1), "damaged"),
    ],
)
def test_a_value_that_means_harm_is_refused(tmp_path: Path, kind: int, value: bytes, code: str) -> None:
    assert get_code(write_gguf(tmp_path / "a.gguf", build_one_value(kind, value))) == code


def test_a_header_without_end_is_not_read_on_and_on(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "a.gguf", build_one_value(ARRAY, struct.pack("<IQ", STRING, 1 << 28)))
    # Strings without a character, from a hole in the file.
    os.truncate(path, 1 << 32)

    before = os.times()
    code, after = get_code(path), os.times()

    assert code == "damaged"
    assert MOST_HEADER_BYTES <= 32 << 20
    assert after.user - before.user < 60


def test_only_a_file_is_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.gguf")

    assert get_code(tmp_path / "pipe.gguf") == "no_gguf"
    with pytest.raises(FileNotFoundError):
        read_gguf(tmp_path / "absent.gguf")


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_any_damage_is_noticed_or_harmless(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = bytearray(build_gguf())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1 - 16000))] = data.draw(st.integers(0, 255))
    path = write_gguf(tmp_path_factory.getbasetemp() / "mutated.gguf", bytes(content))

    try:
        facts = read_gguf(path)
    except UnreadableModelFile:
        return
    assert facts.parameters >= 0
    assert facts.context_window >= 0
