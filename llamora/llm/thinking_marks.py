"""Table of the markup that models write around their thinking, turns and channels.

    THINKING    the marks that open and close thinking: Qwen, DeepSeek and others, Seed, Magistral, Cohere,
                Kimi, Gemma, OpenThinker, Apertus
    CHANNEL     gpt-oss ("harmony"): <|start|>role<|channel|>name<|message|>text<|end|>; only the text of
                the channel `final` is the reply. Some servers leave out the marks and send `analysisWe know
                ...assistantfinalIt rained.`
    TURN        the beginning of a turn: at the beginning of a reply it is followed by a role, later it is the
                end of the reply; after BARE_TURN there is no role
    END         the end of the reply
    DROPPED     marks without a meaning for the reply
    SOFT_END    </s>: the end only if nothing follows, since HTML closes a strike-through with it, too

Any other <|word|> is dropped. A mark is recognised only if it is written exactly like this. In a Markdown
code span on one line a mark is ordinary text, because a person may have asked about it.
"""

import re

THINKING = {
    "<think>": "</think>",
    "<thinking>": "</thinking>",
    "<thought>": "</thought>",
    "<reasoning>": "</reasoning>",
    "<seed:think>": "</seed:think>",
    "[THINK]": "[/THINK]",
    "<|START_THINKING|>": "<|END_THINKING|>",
    "◁think▷": "◁/think▷",
    "<unused94>": "<unused95>",
    "<|channel>": "<channel|>",
    "<|begin_of_thought|>": "<|end_of_thought|>",
    "<|inner_prefix|>": "<|inner_suffix|>",
}
CLOSING = frozenset(THINKING.values())
CHANNEL, START, MESSAGE = "<|channel|>", "<|start|>", "<|message|>"
BARE_CHANNEL, BARE_FINAL = "analysis", "assistantfinal"
CHANNEL_ENDS = frozenset({"<|end|>", "<|call|>", "<|return|>"})
TURN = frozenset(
    {
        "<|im_start|>",
        "<|start_header_id|>",
        "<start_of_turn>",
        "<|turn>",
        "<|START_OF_TURN_TOKEN|>",
        "<|start_of_role|>",
    }
)
BARE_TURN = frozenset({"<|assistant|>", "<｜Assistant｜>"})
END = frozenset(
    {
        "<|im_end|>",
        "<|eot_id|>",
        "<|eom_id|>",
        "<|eot|>",
        "<|EOT|>",
        "<|eom|>",
        "<|endoftext|>",
        "<|end_of_text|>",
        "<|eos|>",
        "<|end_of_turn|>",
        "<end_of_turn>",
        "<turn|>",
        "<eos>",
        "<｜end▁of▁sentence｜>",
        "<｜User｜>",
        "<|endofturn|>",
        "<|END_OF_TURN_TOKEN|>",
        "<|END_RESPONSE|>",
        "<|user|>",
        "<|system|>",
        "<|observation|>",
        "[INST]",
        "<<SYS>>",
        *CHANNEL_ENDS,
    }
)
DROPPED = frozenset(
    {
        "[/INST]",
        "<bos>",
        "<|START_RESPONSE|>",
        "<｜begin▁of▁sentence｜>",
        "[/SYSTEM_PROMPT]",
    }
)
SOFT_END = "</s>"
KNOWN = frozenset({*THINKING, *CLOSING, CHANNEL, START, MESSAGE, *TURN, *BARE_TURN, *END, *DROPPED, SOFT_END})
LONGEST = 40
FIRST_SIGNS = "<[◁"

_UNKNOWN = r"<\|[A-Za-z][A-Za-z0-9_]{2,36}\|>"
MARK = re.compile("|".join([*(re.escape(mark) for mark in sorted(KNOWN)), _UNKNOWN]))
_BEGINNINGS = frozenset(mark[:length] for mark in KNOWN for length in range(1, len(mark)))
_UNKNOWN_BEGINNING = re.compile(r"<\|[A-Za-z][A-Za-z0-9_]{0,36}\|?")


def begins_with_channel_name(text: str) -> bool | None:
    """Return whether a reply begins with `analysis`, the channel name that gpt-oss writes before thinking.

    If more text is needed to know this, return None. Some servers send the name without its marks.
    """
    if text.startswith(BARE_CHANNEL) and len(text) > len(BARE_CHANNEL):
        # As a word, it is followed by a space, a sign or a small letter.
        sign = text[len(BARE_CHANNEL)]
        return sign.isalpha() and not sign.islower()
    return None if BARE_CHANNEL.startswith(text) else False


def find_partial_mark(text: str) -> int:
    """Return the position of a possible beginning of a mark, or the length of the text."""
    for start in range(max(0, len(text) - LONGEST), len(text)):
        if text[start] in FIRST_SIGNS:
            end = text[start:]
            if end in _BEGINNINGS or _UNKNOWN_BEGINNING.fullmatch(end):
                return start
    return len(text)
