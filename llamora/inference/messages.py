"""Messages for people about the model: for each code, the situation and a remedy.

The first sentence of each message describes the situation and is sometimes shown alone.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from llamora.inference.job import Author

# Part of the messages below; where nothing was written, the other stands in its place.
PARTIAL_SAVED: Final = "What was written so far is saved"
NOTHING_WRITTEN: Final = "Nothing was written yet"

_MESSAGES: Final = {
    # The state of the model server.
    "off": "The model is turned off. Writing, reading and searching still work.",
    "looking": "Looking for a model on this machine.",
    "none_found": (
        "No model was found on this machine. Download one under Settings, Model, start llama.cpp, Ollama or "
        "LM Studio, or put a .gguf file into the folder models in the data folder. Llamora finds it within "
        "half a minute."
    ),
    "no_file": (
        "The model file that LLAMORA_MODEL_FILE or --model names does not exist. Correct the name or leave "
        "it out, then restart Llamora."
    ),
    "file_refused": (
        "The model file could not be loaded. It may be damaged, or of an unsupported kind. "
        "Try another .gguf file."
    ),
    "file_incomplete": (
        "The model file is not complete. If it is still being copied, wait; if not, get it again."
    ),
    "file_new": "A new model file was found, and is being checked. Try again in a few seconds.",
    "chosen_file_gone": "The chosen model file is not there any more. Choose another under Settings, Model.",
    "switching": (
        "The model is being changed. There is not enough memory for both, so the replies that are being "
        "written come first."
    ),
    # Why a reply failed.
    "refused_connection": (
        "The model server is not running. Start it, then try again. Llamora also checks every half minute."
    ),
    "wrong_address": (
        "There is no model server at the model's address. Check LLAMORA_MODEL_URL. If the server does not "
        "list its models, name one in LLAMORA_MODEL_NAME."
    ),
    "unauthorized": (
        "The model server rejected the API key. Check LLAMORA_MODEL_API_KEY, or your own key under Settings, "
        "Models on other machines."
    ),
    "no_consent": (
        "Nothing was sent, because the model is on another machine and you have not agreed to that. Agree "
        "under Settings, Models on other machines, then try again."
    ),
    "remote_by_program": (
        "Nothing was sent, because the model is on another machine, to which programs can't have texts sent. "
        "Ask on a page of your diary instead."
    ),
    "moved": (
        "Nothing was sent, because the model was moved to another machine meanwhile. Try again if your texts "
        "may be sent there."
    ),
    "no_credit": (
        "The account at the model server has no credit left. Add credit there, or choose another model."
    ),
    "no_such_model": (
        "The model server does not have this model. Check LLAMORA_MODEL_NAME, or load it in the server."
    ),
    "loading": "The model is still loading. Try again in a moment.",
    "busy": "The model server is busy. Try again in a moment.",
    "too_long": (
        "The text is too long for the model. Choose a model with a larger context window, or enlarge it in "
        "the model server."
    ),
    "out_of_memory": (
        "There is not enough memory for the model. Choose a smaller model or a smaller context window, or "
        "close other programs on its machine."
    ),
    "server_error": "The model server reported an error. Try again; its log may say more.",
    "malformed": "The model server's response could not be read. Try again.",
    "dropped": f"The connection to the model server was lost. {PARTIAL_SAVED}. Try again.",
    "silent": f"The model server stopped responding. {PARTIAL_SAVED}. Try again.",
    "too_slow": (
        "The model did not begin to write in time. It may be too slow for this machine: choose a smaller "
        "model, or raise LLAMORA_MODEL_SILENCE_SECONDS."
    ),
    "time_limit": f"The reply took too long and was stopped. {PARTIAL_SAVED}.",
    "repetition": f"The model began to repeat itself and was stopped. {PARTIAL_SAVED}. Try again.",
    "content_filter": (
        f"The model server's content filter stopped this. {PARTIAL_SAVED}. Try another model, or a server on "
        "this machine."
    ),
    "thought_limit": (
        "The model thought until its limit and wrote nothing. Try again, choose a model that thinks less, or "
        "enlarge its context window in the model server."
    ),
    "remote_not_allowed": (
        "The model's address is on another machine, and your text would be sent there. To allow this, set "
        "LLAMORA_MODEL_ALLOW_REMOTE to true and restart Llamora."
    ),
}
ASK_ADMINISTRATOR: Final = "Ask the administrator about it."
REMOTE_NOTICE: Final = (
    "This model runs on another machine: what it reads is sent there, of people who have agreed to that."
)
TOO_SMALL_NOTICE: Final = "This model is too small to answer a diary; 3 to 8 billion parameters are needed."
_KIND_NAMES: Final = {"other": "a model server"}


def get_message(code: str) -> str:
    """Return the message for a code; an unknown code gets the message for a failed server."""
    return _MESSAGES.get(code, _MESSAGES["server_error"])


def get_situation(code: str) -> str:
    """Return the first sentence of the message for a code, without the remedy."""
    return get_message(code).partition(". ")[0].rstrip(".") + "."


def get_message_for(code: str, *, is_administrator: bool) -> str:
    """Return the message for a code. Readers who are not administrators are told to ask one.

    The message for the code `off` is the same for everybody.
    """
    if is_administrator or code == "off":
        return get_message(code)
    return f"{get_situation(code)} {ASK_ADMINISTRATOR}"


def get_display_name(model: str) -> str:
    """Return the displayed name of a model: its file name without the folder."""
    return Path(model).name.removesuffix(".gguf") if model.endswith(".gguf") else model


def describe_author(author: "Author") -> str:
    """Return a sentence that names the author of a text, or "" if it is unknown."""
    if not author.model:
        return ""
    where = f"on {author.host}" if author.host else "on this computer"
    prompt = f" (prompt: {author.prompt})" if author.prompt else ""
    return f"Written by {get_display_name(author.model)} {where}{prompt}."


def describe_server(*, kind: str, netloc: str, is_own: bool) -> str:
    """Return words for the place where a model runs: the kind of its server and the host."""
    return "run by Llamora" if is_own else f"served by {_KIND_NAMES.get(kind, kind)} at {netloc}"


def ready_message(*, model: str, server: str, host: str, is_too_small: bool) -> str:
    """Return the message for a ready model.

    `server` is the result of `describe_server`. `host` is the machine on which the model runs, or "" for this
    one.
    """
    name = get_display_name(model)
    sentences = [f"Replies are written by {name or 'the model'}, {server}."]
    if is_too_small:
        sentences.append(TOO_SMALL_NOTICE)
    if host:
        sentences.append(REMOTE_NOTICE)
    return " ".join(sentences)
