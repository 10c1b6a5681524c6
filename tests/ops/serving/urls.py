"""URLs and views of the test pages."""

import contextvars
import gc
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Iterator
from pathlib import Path

from django.contrib import messages
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import path

from llamora.threads import yield_turn
from llamora.urls import urlpatterns as household
from tests.fakes.waiting import wait_for

LEFT = contextvars.ContextVar("LEFT", default="nothing")
STREAMED: list[int] = []
ACTIVE: list[HttpRequest] = []
SEEN: list[weakref.ref[HttpRequest]] = []


def show_thread(request: HttpRequest) -> JsonResponse:
    """Return the thread and connection of this page, and what the previous page left."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    left = LEFT.get()
    LEFT.set(request.path)
    return JsonResponse(
        {"thread": threading.current_thread().name, "connection": id(connection.connection), "left": left}
    )


def show_process(request: HttpRequest) -> JsonResponse:
    """Return whether and how garbage is collected, how many objects are frozen, and the loaded modules."""
    return JsonResponse(
        {
            "collects": gc.isenabled(),
            "thresholds": gc.get_threshold(),
            "frozen": gc.get_freeze_count(),
            "modules": sorted(sys.modules),
        }
    )


def show_body_size(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"size": len(request.body), "form": sorted(request.POST)})


def spool_body(request: HttpRequest) -> HttpResponse:
    """Read the body into a temporary file, which the app must never do."""
    with tempfile.TemporaryFile() as file:
        file.write(b"x" * int(request.GET["size"]))
    return HttpResponse("done")


def wait(request: HttpRequest) -> HttpResponse:
    """Wait for the requested time or file, as for a key derivation, and record start and end."""
    if begun := request.GET.get("begun"):
        Path(begun).touch()
    with yield_turn():
        if until := request.GET.get("until"):
            wait_for(Path(until).exists)
        else:
            time.sleep(float(request.GET.get("seconds", "0.3")))
    if mark := request.GET.get("mark"):
        Path(mark).write_text("done")
    return HttpResponse("done")


def leave_message(request: HttpRequest) -> JsonResponse:
    """Use what middleware adds to a request, and store the request in SEEN."""
    SEEN.append(weakref.ref(request))
    messages.success(request, "Done.")
    return JsonResponse({"is_script": bool(vars(request)["htmx"])})


def count_active(request: HttpRequest) -> JsonResponse:
    """Work for a moment, and return the number of simultaneous requests."""
    ACTIVE.append(request)
    time.sleep(0.01)
    count = len(ACTIVE)
    ACTIVE.remove(request)
    return JsonResponse({"active": count})


def stream(request: HttpRequest) -> StreamingHttpResponse:
    def parts() -> Iterator[bytes]:
        for number in range(int(request.GET.get("parts", "1000"))):
            STREAMED.append(number)
            yield b"part\n"
            time.sleep(float(request.GET.get("pause", "0.05")))

    return StreamingHttpResponse(parts())


urlpatterns = [
    path("where/", show_thread),
    path("register/where/", show_thread),
    path("register/active/", count_active),
    path("process/", show_process),
    path("message/", leave_message),
    path("sized/", show_body_size),
    path("spooled/", spool_body),
    path("slowly/", wait),
    path("sign-in/slowly/", wait),
    path("stream/", stream),
    *household,
]
