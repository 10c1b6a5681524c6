"""Prompts for the language model. A prompt has messages and options, and may have a check of the output."""

from dataclasses import replace
from typing import Any

from diary.generation import prompt_templates
from diary.generation.budget import TokenBudget
from diary.generation.material import join_texts
from diary.generation.output_check import TextCheck
from llamora.inference.job import Prompt
from llamora.llm.deltas import ChatMessages


def build_prompt(
    name: str,
    values: dict[str, object],
    *,
    messages: ChatMessages,
    budget: TokenBudget,
    entries: int,
    allows_heads: bool = False,
    allows_json: bool = False,
    uses_sampling: bool = False,
) -> Prompt:
    """Return a prompt for a text that a person reads, such as a reply.

    The output is checked: it must not repeat the prompt. `messages` is the template filled with `values`, and
    `entries` the number of entries in it. With `allows_heads`, a line of the output may be only a date; with
    `allows_json`, the output may be JSON; with `uses_sampling`, the sampling settings of its owner apply.
    """
    options = prompt_templates.get_options(name)
    check = TextCheck(
        fixed_texts=prompt_templates.get_fixed_texts(name),
        own_text=join_texts(values),
        max_words=options.max_words,
        allows_heads=allows_heads,
        allows_json=allows_json,
    )
    prompt = build_data_prompt(name, messages=messages, budget=budget, schema=None)
    return replace(prompt, entries=entries, check=check, uses_sampling=uses_sampling)


def build_data_prompt(
    name: str, *, messages: ChatMessages, budget: TokenBudget, schema: dict[str, Any] | None
) -> Prompt:
    """Return a prompt for an output in JSON that a program reads. The task must check the output itself."""
    options = prompt_templates.get_options(name)
    return Prompt(
        messages=messages,
        max_tokens=budget.output,
        thinking_tokens=budget.thinking,
        temperature=options.temperature,
        label=f"{name} {options.version}",
        schema=schema,
    )
