import contextvars
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import path

from llamora.threads import yield_turn
from llamora.urls import urlpatterns as household

LEFT = contextvars.ContextVar("LEFT", default="nothing")
STREAMED: list[int] = []
ACTIVE: list[HttpRequest] = []


def where(request: HttpRequest) -> JsonResponse:
    """Say which thread and which connection made this page, and what the page before left behind."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    left = LEFT.get()
    LEFT.set(request.path)
    return JsonResponse(
        {"thread": threading.current_thread().name, "connection": id(connection.connection), "left": left}
    )


def sized(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"size": len(request.body), "form": sorted(request.POST)})


def spooled(request: HttpRequest) -> HttpResponse:
    """Do what must never be done with a body."""
    with tempfile.TemporaryFile() as file:
        file.write(b"x" * int(request.GET["size"]))
    return HttpResponse("done")


def slowly(request: HttpRequest) -> HttpResponse:
    """Leave a mark, wait as long as is asked for, as for a key derivation, and leave another."""
    if begun := request.GET.get("begun"):
        Path(begun).touch()
    with yield_turn():
        time.sleep(float(request.GET.get("seconds", "0.3")))
    if mark := request.GET.get("mark"):
        Path(mark).write_text("done")
    return HttpResponse("done")


def active(request: HttpRequest) -> JsonResponse:
    """Work for a moment, and say how many requests did at the same time."""
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
    path("where/", where),
    path("register/where/", where),
    path("register/active/", active),
    path("sized/", sized),
    path("spooled/", spooled),
    path("slowly/", slowly),
    path("sign-in/slowly/", slowly),
    path("stream/", stream),
    *household,
]
