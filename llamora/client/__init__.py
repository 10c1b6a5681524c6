"""Python client for the API of a Llamora server: a library and a command line, `python -m llamora.client`.

It depends only on the standard library and httpx, not on the rest of Llamora, so it works on any machine with
Python 3.11 and `pip install httpx`. A server offers it as `/api/client.zip`; Python can import from that
file, and run it: `python client.zip status`.

    sync_client, async_client   `Llamora` and `AsyncLlamora`
    calls, memory_calls, note_calls
                                the calls as data, which both clients send
    harmonia                    `HarmoniaClient`, for programs written for Harmonia (a memory for assistants)
    exchange                    requests, answers, retries, streams
    addresses                   the address of a server, and TLS
    answers, errors             what a call returns, and what it raises
    server_events               the parser of streams
    file_download               atomic saving of files
    bundle                      the client as a zip file
    commands                    the command line

>>> from llamora.client import Llamora
>>> with Llamora(url, token=token) as diary:
...     for found in diary.list_days(to_day="2026-01-04"):
...         print(found.day, [entry.text for entry in diary.get_day(found.day).entries])
2026-01-04 ['The kite flew over the weir.']
"""

from llamora.client.answers import (
    BinnedEntry,
    ChatAnswer,
    ChatEnd,
    ChatEvent,
    ChatFact,
    ChatRestart,
    ChatSession,
    ChatSource,
    ChatStart,
    ChatText,
    CountedDay,
    DiaryDay,
    DiaryEntry,
    DiaryTrace,
    FoundText,
    SearchAnswer,
    ServerHealth,
    ServerStatus,
    TracedEntry,
    WriteAnswer,
)
from llamora.client.async_client import AsyncLlamora
from llamora.client.errors import (
    AddressRefused,
    AuthenticationError,
    Conflict,
    Invalid,
    LlamoraError,
    Locked,
    NetworkError,
    NotFound,
    PermissionDenied,
    RateLimited,
    ServerError,
    Timeout,
    UnexpectedAnswer,
)
from llamora.client.exchange import RetryPolicy
from llamora.client.file_download import FileRefused
from llamora.client.harmonia import HarmoniaClient
from llamora.client.sync_client import Llamora

__all__ = [
    "AddressRefused",
    "AsyncLlamora",
    "AuthenticationError",
    "BinnedEntry",
    "ChatAnswer",
    "ChatEnd",
    "ChatEvent",
    "ChatFact",
    "ChatRestart",
    "ChatSession",
    "ChatSource",
    "ChatStart",
    "ChatText",
    "Conflict",
    "CountedDay",
    "DiaryDay",
    "DiaryEntry",
    "DiaryTrace",
    "FileRefused",
    "FoundText",
    "HarmoniaClient",
    "Invalid",
    "Llamora",
    "LlamoraError",
    "Locked",
    "NetworkError",
    "NotFound",
    "PermissionDenied",
    "RateLimited",
    "RetryPolicy",
    "SearchAnswer",
    "ServerError",
    "ServerHealth",
    "ServerStatus",
    "Timeout",
    "TracedEntry",
    "UnexpectedAnswer",
    "WriteAnswer",
]
