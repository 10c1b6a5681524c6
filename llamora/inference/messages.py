"""Messages about the model: for each code, what is the case and what can be done about it."""

from pathlib import Path

_MESSAGES = {
    # The state of the model server.
    "off": "The model is switched off. Writing, reading and searching work as always.",
    "looking": "Looking for a model on this machine.",
    "none_found": (
        "No model was found on this machine. Start llama.cpp, Ollama or LM Studio, or put a .gguf file "
        "into the folder models beside your diary; it is found by itself within half a minute."
    ),
    "no_file": (
        "The model file that LLAMORA_MODEL_FILE names is not there. Correct the path, or remove the setting, "
        "and start Llamora again."
    ),
    "file_refused": (
        "The model file could not be loaded. It may be damaged, too large for this machine, or of a kind "
        "that cannot be read here; try another .gguf file."
    ),
    # Why a reply failed.
    "refused_connection": (
        "The model server is not running at its address. Start it, then try again; it is also looked for "
        "every half minute."
    ),
    "wrong_address": (
        "Something answers at the model's address, but it is not a model server. Check LLAMORA_MODEL_URL."
    ),
    "unauthorized": "The model server refused its key. Check LLAMORA_MODEL_API_KEY.",
    "no_such_model": (
        "The model server does not have the model that was asked for. Check LLAMORA_MODEL_NAME, or load the "
        "model in the server."
    ),
    "loading": "The model is still being loaded. Try again in a moment.",
    "busy": "The model server takes no more work just now. Try again in a moment.",
    "too_long": (
        "What was to be read is longer than the model can take in. Choose a model with a larger context, or "
        "raise the context in the model server."
    ),
    "server_error": "The model server failed for a reason of its own. Try again; its log may say more.",
    "malformed": "The model server sent something that could not be read. Try again.",
    "dropped": "The model server broke off in the middle. What came is kept; try again.",
    "silent": "The model server went silent. What came is kept; try again.",
    "time_limit": "The reply took longer than allowed and was stopped. What came is kept.",
    "repetition": "The model began to repeat itself and was stopped. What came is kept; try again.",
    "remote_not_allowed": (
        "The model's address is not on this machine, and text would leave it. If you want that, set "
        "LLAMORA_MODEL_ALLOW_REMOTE to true and start Llamora again."
    ),
}
REMOTE_NOTICE = "This model is not on this machine: what it is given to read leaves the house."


def get_message(code: str) -> str:
    """Return the message for a code; an unknown one counts as a failure of the server."""
    return _MESSAGES.get(code, _MESSAGES["server_error"])


def ready_message(*, model: str, origin: str, remote: bool) -> str:
    """Return the message that there is a model, which one, and where it runs."""
    name = Path(model).name.removesuffix(".gguf") if model.endswith(".gguf") else model
    message = f"Replies are written by {name or 'the model'}, {origin}."
    return f"{message} {REMOTE_NOTICE}" if remote else message
