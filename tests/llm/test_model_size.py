"""Tests of the size of a model, from the server's answer or from its name, and of too small models."""

import pytest

from llamora.llm.model_files.size import find_size_in_name, is_too_small, parse_size
from llamora.llm.probe import probe_server
from tests.llm.server_answers import ANSWERS

MILLION, BILLION = 10**6, 10**9


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("Llama-3.2-1B-Instruct-Q4_K_M.gguf", BILLION),
        ("llama3.2:1b", BILLION),
        ("Qwen2.5-0.5B-Instruct-1M", 500 * MILLION),
        ("Qwen/Qwen3-30B-A3B-Instruct-2507", 30 * BILLION),
        ("Mixtral-8x7B-Instruct-v0.1", 56 * BILLION),
        ("gemma-3n-E2B-it", 2 * BILLION),
        ("gemma3:270m", 270 * MILLION),
        ("SmolLM2-135M-Instruct.Q4_1", 135 * MILLION),
        ("SmolLM2_1.7B", 1_700 * MILLION),
        ("gpt-oss:120b-cloud", 120 * BILLION),
        ("meta-llama/Meta-Llama-3-8B-Instruct-4bit", 8 * BILLION),
        ("hf.co/somebody/Llama-3.1-70B-3.0bpw:latest", 70 * BILLION),
        ("/models/1b/mistral-7b.gguf", 7 * BILLION),
        (r"C:\models\7b\tinyllama-1.1b.gguf", 1_100 * MILLION),
        ("/models/1b/diarist.gguf", None),
        ("phi-4-mini-128k", None),
        ("diarist3.2.1b", None),
        ("diarist-1M", None),
        ("llama3.2:latest", None),
        ("Ministral-bf16-q8_0", None),
        ("", None),
    ],
)
def test_a_size_is_read_from_a_name(name: str, size: int | None) -> None:
    assert find_size_in_name(name) == size


@pytest.mark.parametrize(
    ("stated", "size"),
    [
        ("1.2B", 1_200 * MILLION),
        ("134.52M", 134_520_000),
        (" 8 b ", 8 * BILLION),
        ("900K", 900_000),
        ("1T", 1_000 * BILLION),
        (134_515_008, 134_515_008),
        (0, None),
        (-1, None),
        (True, None),
        (1.5, None),
        ("0B", None),
        ("large", None),
        ("", None),
        (None, None),
        ({"n": 1}, None),
    ],
)
def test_a_stated_size_is_a_number_or_has_a_unit(stated: object, size: int | None) -> None:
    assert parse_size(stated) == size


@pytest.mark.parametrize(
    ("size", "small"),
    [
        (135 * MILLION, True),
        (1_499_999_999, True),
        (1_500 * MILLION, False),
        (8 * BILLION, False),
        (None, False),
    ],
)
def test_below_one_and_a_half_billion_is_too_small_and_unknown_is_not(
    size: int | None, *, small: bool
) -> None:
    assert is_too_small(size) is small


@pytest.mark.parametrize("server", ANSWERS)
async def test_the_sizes_of_all_models_of_a_server_are_known(server: str) -> None:
    answers = ANSWERS[server]

    offer = await probe_server(answers.fetch)

    assert offer.kind == answers.kind
    assert {model: offer.find_parameters(model) for model in offer.models} == answers.parameters
