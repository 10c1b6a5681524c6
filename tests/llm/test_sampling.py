"""Tests of the validation of sampling parameters, and of the sentences about invalid ones."""

import json
from typing import Any

import pytest

from llamora.llm.requests.sampling import (
    RULES,
    InvalidSampling,
    check_parameter,
    merge_sampling,
    parse_sampling,
    select_thinking,
)

# What decides about messages, tools, addresses, the form and number of replies, their length, or logs.
FORBIDDEN = (
    *("messages", "model", "prompt", "tools", "tool_choice", "functions", "stream", "stream_options", "n"),
    *("max_tokens", "max_completion_tokens", "n_predict", "grammar", "json_schema", "response_format"),
    *("logprobs", "top_logprobs", "store", "metadata", "user", "webhook_url", "documents", "cache_prompt"),
    *("chat_template", "guided_json", "extra_body", "logit_bias", "id_slot", "lora", "samplers", "__class__"),
)
RIGHT: dict[str, list[Any]] = {
    "temperature": [0, 0.7, 2],
    "top_k": [0, 40],
    "stop": [["###"], ["\n\n", "User:"]],
    "mirostat": [2],
    "presence_penalty": [-2, 0.5],
    "reasoning_effort": ["none", "low"],
    "chat_template_kwargs": [{"enable_thinking": False}, {"thinking": True}],
}
WRONG: dict[str, list[Any]] = {
    "temperature": [-0.1, 2.1, "0.7", True, None, [0.7], {}, float("nan"), float("inf"), 10**400],
    "top_k": [0.5, -1, True, 1e3, 10**30],
    "seed": [-1, 2**32, "7"],
    "stop": ["###", [], [""], ["x" * 21], ["a"] * 5, [7], [["a"]], {}],
    "reasoning_effort": ["", "extreme", 3, ["low"], {}],
    "chat_template_kwargs": [
        *({}, {"enable_thinking": "no"}, {"enable_thinking": 0}, {"documents": True}, [], "thinking"),
        {"thinking": True, "messages": []},
    ],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in RIGHT for value in RIGHT[name]])
def test_a_right_value_is_taken(name: str, value: Any) -> None:
    check_parameter(name, value)

    assert parse_sampling(json.dumps({name: value})) == {name: value}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in WRONG for value in WRONG[name]])
def test_a_wrong_value_is_refused_with_the_name_of_its_parameter(name: str, value: Any) -> None:
    with pytest.raises(InvalidSampling, match=f"^{name} must be ") as refusal:
        check_parameter(name, value)

    assert "\n" not in str(refusal.value)
    assert merge_sampling({name: value, "min_p": 0.1}) == {"min_p": 0.1}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_no_other_parameter_is_taken(name: str) -> None:
    with pytest.raises(InvalidSampling, match=f'^"{name}" can\'t be set. These can: temperature, '):
        parse_sampling(json.dumps({"temperature": 0.7, name: 1}))
    assert merge_sampling({name: 1}) == {}


@pytest.mark.parametrize("name", RULES)
def test_no_parameter_takes_what_is_of_no_use(name: str) -> None:
    for value in (None, {}, [], "", object()):
        with pytest.raises(InvalidSampling):
            check_parameter(name, value)


@pytest.mark.parametrize(
    "text", ["", "7", "[]", "null", "{", '{"a": }', "[" * 2000, "temperature=1", "{1: 2}"]
)
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(InvalidSampling, match="as a JSON object"):
        parse_sampling(text)


def test_later_choices_take_precedence() -> None:
    household, person = {"temperature": 0.5, "top_p": 0.9}, {"temperature": 1.2}

    assert merge_sampling(household, person) == {"temperature": 1.2, "top_p": 0.9}
    assert merge_sampling(household, None, "x") == household


def test_only_what_concerns_thinking_concerns_everything() -> None:
    thinking = {"reasoning_effort": "low", "chat_template_kwargs": {"thinking": False}}

    assert select_thinking({"temperature": 2, "stop": ["a"], **thinking}) == thinking
