"""The commands `ask` and `chat`: questions about the diary, answered word by word."""

import contextlib
import sys
from argparse import Namespace
from collections.abc import Generator, Iterator
from typing import Any, cast

from llamora.client.answers import ChatEnd, ChatEvent, ChatFact, ChatRestart, ChatSource, ChatStart, ChatText
from llamora.client.commands.console import Console, UsageRefused
from llamora.client.errors import AuthenticationError, LlamoraError, PermissionDenied
from llamora.client.sync_client import Llamora

HELP = """\
Type a question about your diary, and Enter.
/new   begins another conversation
/quit  ends this program, and so does Ctrl-D
/help  shows this
Ctrl-C stops an answer. A question that begins with a slash is typed with two."""
PROMPT = "> "


def ask(diary: Llamora, arguments: Namespace, console: Console) -> None:
    """Ask one question."""
    question = arguments.question if arguments.question != "-" else sys.stdin.read()
    if not question.strip():
        raise UsageRefused("There is no question.")
    _answer(diary, question, arguments.session, arguments.model, console)


def chat(diary: Llamora, arguments: Namespace, console: Console) -> None:
    """Read and answer questions until the input ends; an error does not end the conversation."""
    session: str | None = arguments.session
    is_interactive = console.is_interactive
    if is_interactive:
        _set_up_line_editing(has_history=arguments.history)
        console.say("Questions about your diary. /help explains, /quit ends.")
    for line in _read_lines(console, is_interactive=is_interactive):
        question = line.strip()
        if question in ("/quit", "/exit"):
            break
        if question == "/help":
            console.say(HELP)
        elif question == "/new":
            session = None
            console.say("This is another conversation.")
        elif question.startswith("/") and not question.startswith("//"):
            console.say("There is no such command. /help shows those there are.")
        elif question:
            session = _answer_in_loop(
                diary, question.removeprefix("/"), session, arguments.model, console, ends=not is_interactive
            )
    if session and is_interactive:
        console.say(f"To continue this conversation: chat --session {session}")


def _answer_in_loop(
    diary: Llamora, question: str, session: str | None, model: str | None, console: Console, *, ends: bool
) -> str | None:
    """Answer a question, and return the conversation's id.

    Errors are printed, but raised if the token may not ask, or with `ends`.
    """
    try:
        return _answer(diary, question, session, model, console)
    except (AuthenticationError, PermissionDenied):
        # No later question would be answered.
        raise
    except LlamoraError as error:
        if ends:
            raise
        console.say(str(error))
    except KeyboardInterrupt:
        if ends:
            raise
        console.say("\nStopped.")
    return session


def _answer(
    diary: Llamora, question: str, session: str | None, model: str | None, console: Console
) -> str | None:
    """Print an answer as it is written, and its sources; return the conversation's id."""
    stream = cast("Generator[ChatEvent]", diary.chat_stream(question, session_id=session, model=model))
    # Closing it stops the model, also after Ctrl-C.
    with contextlib.closing(stream):
        return _print_json(stream, console) if console.is_json else _print_answer(stream, console)


def _print_answer(stream: Iterator[ChatEvent], console: Console) -> str | None:
    session: str | None = None
    sources: tuple[ChatSource, ...] = ()
    facts: tuple[ChatFact, ...] = ()
    printer = _AnswerPrinter(console)
    try:
        for event in stream:
            match event:
                case ChatStart():
                    session, sources = event.session_id, event.sources
                case ChatText():
                    printer.add(event.text)
                case ChatRestart():
                    printer.discard()
                case ChatEnd():
                    printer.finish_reason, facts = event.finish_reason, event.facts
    finally:
        printer.close()
    if sources or facts:
        console.print_text("")
    for source in sources:
        snippet = " ".join(source.snippet.split())
        where = source.day or ("Note" if source.kind == "note" else "")
        console.print_text(f"[{source.number}] {where}  {snippet}")
    for fact in facts:
        console.print_text(f"Fact: {fact.content}")
    return session


class _AnswerPrinter:
    """Printer of an answer: streaming in a terminal, elsewhere at the end because the answer may restart."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._pieces: list[str] = []
        self.finish_reason: str | None = None

    def add(self, text: str) -> None:
        """Print or buffer a piece of the answer."""
        self._pieces.append(text)
        if self._console.is_terminal:
            self._console.print_text(text, end="")

    def discard(self) -> None:
        """Discard the pieces of the answer so far, because the model begins the answer again."""
        if self._pieces and self._console.is_terminal:
            self._console.print_text("")
            self._console.say("The model begins again.")
        self._pieces.clear()

    def close(self) -> None:
        """Print what is buffered, and end the line."""
        if self._pieces:
            self._console.print_text("" if self._console.is_terminal else "".join(self._pieces))
        if self.finish_reason == "length":
            self._console.say("This reached the maximum length; the model may have had more to say.")
        elif self.finish_reason == "stopped":
            self._console.say("This took too long, so the model was stopped.")


def _print_json(stream: Iterator[ChatEvent], console: Console) -> str | None:
    answer: dict[str, Any] = {"response": ""}
    for event in stream:
        match event:
            case ChatStart():
                answer |= {"session_id": event.session_id, "model": event.model, "sources": event.sources}
            case ChatText():
                answer["response"] += event.text
            case ChatRestart():
                answer["response"] = ""
            case ChatEnd():
                answer |= {
                    "facts": event.facts,
                    "finish_reason": event.finish_reason,
                    "read_imported": event.read_imported,
                }
    console.print_json(answer)
    return cast("str | None", answer.get("session_id"))


def _read_lines(console: Console, *, is_interactive: bool) -> Iterator[str]:
    """Yield what is typed, line by line, until Ctrl-D; Ctrl-C only discards a line."""
    if not is_interactive:
        yield from sys.stdin
        return
    while True:
        try:
            # With its prompt the line editor knows where the line begins; it writes both to stdout.
            line = input(PROMPT) if sys.stdout.isatty() else _prompt_on_stderr()
        except EOFError:
            console.say("")
            return
        except KeyboardInterrupt:
            console.say("")
            continue
        yield line


def _prompt_on_stderr() -> str:
    sys.stderr.write(PROMPT)
    sys.stderr.flush()
    return input()


def _set_up_line_editing(*, has_history: bool) -> None:
    """Let a line be edited. Questions are remembered only if wanted, and never beyond this program."""
    try:
        import readline  # noqa: PLC0415 - not every system has it
    except ImportError:
        return
    readline.set_auto_history(has_history)
    readline.clear_history()
