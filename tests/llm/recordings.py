"""Recorded exchanges: response bodies of each kind of server, and the expected result of parsing each.

Each is written from the public documentation of the server or the chat template of the model. `end` is the
reason of the end of the stream, or the code of an error.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from llamora.llm.deltas import Delta
from llamora.llm.errors import ModelError
from llamora.llm.formats.chat_completions import CHAT_COMPLETIONS
from llamora.llm.formats.wire_format import WireFormat
from llamora.llm.stream_parser import StreamParser

DONE = b"data: [DONE]\n\n"


@dataclass(frozen=True, kw_only=True)
class Recording:
    """A response body, and the expected result of parsing it."""

    body: bytes
    text: str = ""
    thought: str = ""
    end: str = "stop"


@dataclass
class Reading:
    """The parsed result of a response so far: the text that a page shows, and the reason of the end."""

    text: str = ""
    thought: str = ""
    end: str = ""

    def add(self, delta: Delta | None) -> None:
        if delta is not None:
            self.text = delta.text if delta.withdraw else self.text + delta.text
            self.thought += delta.thought


def read_chunks(chunks: Iterable[bytes], wire_format: WireFormat = CHAT_COMPLETIONS) -> Reading:
    """Read a response in these pieces as the client does."""
    parser, reading = StreamParser(wire_format=wire_format), Reading()
    try:
        for chunk in chunks:
            reading.add(parser.feed(chunk))
            if parser.ended:
                break
        reading.add(parser.close())
        reading.end = parser.finish().reason
    except ModelError as error:
        reading.end = error.code
    return reading


def dump_event(value: Any) -> bytes:
    return b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n"


def dump_choice(finish: str | None = None, /, index: int = 0, **delta: Any) -> bytes:
    choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}
    head = {"id": "chatcmpl-7", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return dump_event({**head, "choices": [choice]})


def stream_text(text: str, *, finish: str = "stop") -> bytes:
    """Return a stream of a text, a word or a mark in each event."""
    words = re.findall(r"<[^<>\s]+>|\[[^\[\]\s]+\]|\s*[^\s<\[]+|\s+|.", text, re.DOTALL)
    events = [dump_choice(role="assistant", content=""), *(dump_choice(content=word) for word in words)]
    usage = {"id": "chatcmpl-7", "choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 5}}
    return b"".join([*events, dump_choice(finish), dump_event(usage), DONE])


def record_text(sent: str, *, text: str = "", thought: str = "", end: str = "stop") -> Recording:
    return Recording(body=stream_text(sent), text=text, thought=thought, end=end)


PLAIN = stream_text("It rained.")
WHOLE = {
    "id": "chatcmpl-7",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "It rained.", "reasoning_content": "Hm."},
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14},
}

_HARMONY = (
    "<|channel|>analysis<|message|>They ask about rain.<|end|>"
    "<|start|>assistant<|channel|>commentary<|message|>I look it up.<|end|>"
    "<|start|>assistant<|channel|>final<|message|>It rained."
)

THINKING = {
    "gpt-oss": record_text(
        f"<|start|>assistant{_HARMONY}<|return|>",
        text="It rained.",
        thought="They ask about rain.I look it up.",
    ),
    "gpt-oss, its first turn opened by the template": record_text(
        f"{_HARMONY}<|end|>", text="It rained.", thought="They ask about rain.I look it up."
    ),
    "gpt-oss, its marks left out by the server": record_text(
        "analysisThey ask about rain.assistantcommentaryI look.assistantfinalIt rained.",
        text="It rained.",
        thought="They ask about rain.assistantcommentaryI look.",
    ),
    "gpt-oss, its marks left out and nothing but thinking": record_text(
        "analysis用雨 assistantfina", thought="用雨 assistantfina"
    ),
    "gpt-oss without thinking": record_text(
        "<|channel|>final<|message|>It rained.<|return|>", text="It rained."
    ),
    "gpt-oss, called as a tool": record_text(
        "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>commentary to=functions.rain "
        '<|constrain|>json<|message|>{"day": 1}<|call|>',
        thought='Hm.{"day": 1}',
    ),
    "gpt-oss, going on as the person": record_text(
        "<|channel|>final<|message|>It rained.<|end|><|start|>user<|message|>And now?<|end|>",
        text="It rained.",
    ),
    "Cohere": record_text(
        "<|START_THINKING|>Rain, then.<|END_THINKING|><|START_RESPONSE|>It rained.<|END_RESPONSE|>"
        "<|END_OF_TURN_TOKEN|>",
        text="It rained.",
        thought="Rain, then.",
    ),
    "Magistral": record_text(
        "[THINK]Rain, then.[/THINK]It rained.</s>", text="It rained.", thought="Rain, then."
    ),
    "Magistral in typed parts": Recording(
        body=dump_choice(
            content=[{"type": "thinking", "thinking": [{"type": "text", "text": "Rain, then."}]}]
        )
        + dump_choice(content=[{"type": "text", "text": "It "}])
        + dump_choice("stop", content="rained.")
        + DONE,
        text="It rained.",
        thought="Rain, then.",
    ),
    "Seed": record_text(
        "<seed:think>Rain, then.</seed:think>It rained.", text="It rained.", thought="Rain, then."
    ),
    "Seed, its thinking opened by the template": record_text(
        "Rain, then.</seed:think>It rained.", text="It rained."
    ),
    "Gemma 4": record_text(
        "<|channel>thought\nRain, then.<channel|>It rained.<turn|>",
        text="It rained.",
        thought="thought\nRain, then.",
    ),
    "Gemma 4 without thinking": record_text(
        "<|channel>thought\n<channel|>It rained.<turn|>", text="It rained.", thought="thought\n"
    ),
    "Gemma 3": record_text(
        "<unused94>thought\nRain.<unused95>It rained.<end_of_turn>",
        text="It rained.",
        thought="thought\nRain.",
    ),
    "<reasoning>": record_text(
        "<reasoning>Rain, then.</reasoning>\n\nIt rained.", text="It rained.", thought="Rain, then."
    ),
    "Kimi": record_text("◁think▷Rain, then.◁/think▷It rained.", text="It rained.", thought="Rain, then."),
    "one kind of thinking inside another": record_text(
        "<think>Rain <reasoning>or hail</reasoning>, then.</think>It rained.",
        text="It rained.",
        thought="Rain or hail, then.",
    ),
    "OpenRouter": Recording(
        body=b": OPENROUTER PROCESSING\n\n"
        + dump_choice(role="assistant", content="", reasoning="Rain, then.")
        + dump_choice(content="It rained.")
        + dump_choice("stop", content="")
        + DONE,
        text="It rained.",
        thought="Rain, then.",
    ),
}

STRAY = {
    mark: record_text(f"It rained.{mark}\nAnd then it invents more.", text="It rained.")
    for mark in (
        "<|eot|>",
        "<|END_OF_TURN_TOKEN|>",
        "[INST]",
        "<|user|>",
        "<turn|>",
        "<|im_start|>user",
        "<|start_header_id|>user<|end_header_id|>",
    )
} | {
    "[/INST] at the beginning": record_text("[/INST] It rained.", text="It rained."),
    "[/INST] at the end": record_text("It rained.[/INST]", text="It rained."),
    "a mark that nobody knows": record_text("It rained.<|reserved_special_token_7|>", text="It rained."),
    "a header of the model's own turn": record_text(
        "<|start_header_id|>assistant<|end_header_id|>\n\nIt rained.<|eot_id|>", text="It rained."
    ),
    "a header with a line end": record_text("<|im_start|>assistant\nIt rained.<|im_end|>", text="It rained."),
    "a header of the person's turn": record_text("<|im_start|>user\nDid it rain?<|im_end|>"),
}

QUOTED = {
    sent: record_text(sent, text=sent)
    for sent in (
        "You wrote `[INST]` and `</think>` into your notes, and `<|im_end|>` below.",
        "The span `[INST] Did it rain? [/INST]` is a template.",
        "A list [INST or (INST] is no mark, nor is <think or a < b.",
        "An array[0] and a [link](there), [THINKING] of rain.",
        "analysis of the rain",
        "analysis",
        "anal",
        "A pipe a <| b |> c, and `<|a|>`.",
        "It ends in `</s>`",
    )
} | {
    "a span that does not end": record_text("It `rained.<|im_end|>\nuser", text="It `rained."),
    "a mark quoted while it thinks": record_text(
        "<think>They quote `</think>` here.</think>It rained.",
        text="It rained.",
        thought="They quote `</think>` here.",
    ),
}

ENDS = {
    "cut at its limit": Recording(body=stream_text("It rai", finish="length"), text="It rai", end="length"),
    "cut at its limit, by Mistral": Recording(
        body=stream_text("It rai", finish="model_length"), text="It rai", end="length"
    ),
    "filtered": Recording(
        body=stream_text("It rai", finish="content_filter"), text="It rai", end="content_filter"
    ),
    "filtered, by Gemini": Recording(body=stream_text("", finish="SAFETY"), end="content_filter"),
    "filtered before it began": Recording(
        body=dump_event(
            {"error": {"code": 400, "type": "content_filter", "message": "The response was filtered."}}
        ),
        end="content_filter",
    ),
    "thinking until the limit": Recording(
        body=dump_choice(reasoning_content="Rain, ")
        + dump_choice(reasoning_content="then")
        + dump_choice("length")
        + DONE,
        thought="Rain, then",
        end="thought_limit",
    ),
    "thinking between marks until the limit": Recording(
        body=stream_text("<think>Rain, then", finish="length"), thought="Rain, then", end="thought_limit"
    ),
    "an error object without `error`, by vLLM": Recording(
        body=dump_event(
            {"object": "error", "message": "Internal", "type": "InternalServerError", "code": 500}
        )
        + DONE,
        end="server_error",
    ),
    "an error object without `error`, later": Recording(
        body=dump_choice(content="It ")
        + dump_event({"object": "error", "message": "maximum context length is 4096 tokens", "code": 400})
        + DONE,
        text="It ",
        end="too_long",
    ),
    "an error in the field of llama.cpp": Recording(
        body=dump_choice(content="It ")
        + b'error: {"code":500,"message":"slot was lost","type":"server_error"}\n\n'
        + DONE,
        text="It ",
        end="server_error",
    ),
    "an event named error, by LM Studio": Recording(
        body=b"event: error\n" + dump_event({"error": {"message": "The model has crashed. Out of memory."}}),
        end="out_of_memory",
    ),
    "an error beside a choice, by OpenRouter": Recording(
        body=dump_choice(content="It ")
        + dump_event(
            {
                "id": "gen-7",
                "error": {"code": 429, "message": "Provider returned error"},
                "choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "error"}],
            }
        )
        + DONE,
        text="It ",
        end="busy",
    ),
    "a failure as reason of the end": Recording(
        body=stream_text("It ", finish="error"), text="It ", end="server_error"
    ),
    "an error as a whole response": Recording(
        body=json.dumps({"object": "error", "message": "Internal", "code": 500}).encode(), end="server_error"
    ),
    "an error of FastAPI": Recording(
        body=json.dumps({"detail": "prompt is too long"}).encode(), end="too_long"
    ),
    "broken off": Recording(body=dump_choice(content="It rai"), text="It rai", end="dropped"),
    "broken off inside an event": Recording(
        body=dump_choice(content="It rai") + dump_choice(content="ned")[:60], text="It rai", end="dropped"
    ),
    "nothing at all": Recording(body=b"", end="dropped"),
    "a page of another program": Recording(
        body=b"<!DOCTYPE html>\n<title>Router</title>\n", end="wrong_address"
    ),
}

FRAMING = {
    "a whole JSON": Recording(body=json.dumps(WHOLE).encode(), text="It rained.", thought="Hm."),
    "a whole JSON on several lines": Recording(
        body=b"\n" + json.dumps(WHOLE, indent=2).encode() + b"\n", text="It rained.", thought="Hm."
    ),
    "a whole JSON as one event": Recording(body=dump_event(WHOLE) + DONE, text="It rained.", thought="Hm."),
    "a whole JSON, half of it": Recording(body=json.dumps(WHOLE).encode()[:-40], end="dropped"),
    "JSON lines": Recording(body=PLAIN.replace(b"data: ", b"").replace(b"[DONE]", b""), text="It rained."),
    "two choices in turn": Recording(
        body=dump_choice(content="It ")
        + dump_choice(index=1, content="Sun")
        + dump_choice(content="rained.")
        + dump_choice("length", index=1)
        + dump_choice("stop")
        + DONE,
        text="It rained.",
    ),
    "two choices in one event": Recording(
        body=dump_event(
            {
                "choices": [
                    {"index": 1, "delta": {"content": "Sun"}, "finish_reason": "length"},
                    {"index": 0, "delta": {"content": "It rained."}, "finish_reason": "stop"},
                ]
            }
        )
        + DONE,
        text="It rained.",
    ),
    "the text so far beside each delta, by Perplexity": Recording(
        body=b"".join(
            dump_event({"choices": [{"index": 0, "message": {"content": so_far}, "delta": {"content": new}}]})
            for so_far, new in (("It ", "It "), ("It rained.", "rained."))
        )
        + dump_event(
            {
                "choices": [
                    {"index": 0, "message": {"content": "It rained."}, "delta": {}, "finish_reason": "stop"}
                ]
            }
        ),
        text="It rained.",
    ),
    "a byte order mark": Recording(
        body=b"\xef\xbb\xbf" + dump_choice(content="It ") + dump_choice("stop", content="rained.") + DONE,
        text="It rained.",
    ),
    "a byte order mark before a whole JSON": Recording(
        body=b"\xef\xbb\xbf" + json.dumps(WHOLE).encode(), text="It rained.", thought="Hm."
    ),
    "lines that end in CR": Recording(body=PLAIN.replace(b"\n", b"\r"), text="It rained."),
    "lines that end in CR LF": Recording(body=PLAIN.replace(b"\n", b"\r\n"), text="It rained."),
    "events without blank lines": Recording(body=PLAIN.replace(b"\n\n", b"\n"), text="It rained."),
    "events without blank lines, in CR": Recording(body=PLAIN.replace(b"\n\n", b"\r"), text="It rained."),
    "data without a space": Recording(body=PLAIN.replace(b"data: ", b"data:"), text="It rained."),
    "an event on several lines": Recording(
        body=b'data: {"choices":\ndata: [{"delta": {"content": "It rained."}}]}\n\n' + DONE, text="It rained."
    ),
    "pings": Recording(
        body=PLAIN.replace(b"\n\n", b'\n\n: ping\n\nevent: ping\ndata: {"type": "ping"}\n\n'),
        text="It rained.",
    ),
}

RECORDINGS = {
    f"{kind}: {name}": recording
    for kind, table in (
        ("thinking", THINKING),
        ("stray", STRAY),
        ("quoted", QUOTED),
        ("end", ENDS),
        ("framing", FRAMING),
    )
    for name, recording in table.items()
}
