"""A process that calls the API as many programs would, for the measurements in `calls.py`.

    python -m llamora.ops.benchmarks.programs.call_process PORT SECONDS DAY OTHER_DAY

It reads access tokens from its standard input, one per line, and calls the API with each twice a second. Then
it prints, as JSON, the durations in ms by kind of call, and the numbers of refused and failed calls. A
program reads DAY, searches, and with each tenth call writes to OTHER_DAY, so that the day that is read does
not grow. Half of the searches are new queries. The process has a low priority, so that it does not slow down
the server that is measured.
"""

import json
import os
import sys
import threading
import time
from collections import Counter, defaultdict
from http.client import HTTPConnection, HTTPException

from llamora.threads.priority import NICENESS

CALLS_A_SECOND = 2
_WRITE_EVERY = 10
_QUERIES = ("river", "letters until dark", "neighbours", "winter")


class Program:
    """A program with its own token, which calls the API at a fixed rate even if responses are slow."""

    def __init__(self, token: str, *, port: int, day: str, other_day: str, number: int) -> None:
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._port, self._day, self._other_day, self._number = port, day, other_day, number
        self._connection = HTTPConnection("127.0.0.1", port, timeout=30)
        self.durations: defaultdict[str, list[float]] = defaultdict(list)
        self.errors: Counter[str] = Counter()

    def run(self, *, begin: float, until: float) -> None:
        """Call the API at a fixed rate between two times of `time.monotonic`."""
        for number in range(int((until - begin) * CALLS_A_SECOND)):
            time.sleep(max(0.0, begin + number / CALLS_A_SECOND - time.monotonic()))
            kind, method, path, body = self._choose(number)
            began = time.perf_counter()
            error = self._call(method, path, body)
            self.durations[kind].append((time.perf_counter() - began) * 1000)
            if error:
                self.errors[f"{kind}: {error}"] += 1

    def _choose(self, number: int) -> tuple[str, str, str, str]:
        if number % _WRITE_EVERY == _WRITE_EVERY - 1:
            text = json.dumps({"day": self._other_day, "text": f"A program writes, {number}."})
            return "write", "POST", "/api/v1/entries", text
        if number % 2:
            query = _QUERIES[number // 2 % len(_QUERIES)]
            if number % 4 == 1:
                query = f"{query} {self._number} {number}"
            return "search", "POST", "/api/v1/search", json.dumps({"query": query})
        return "read a day", "GET", f"/api/v1/days/{self._day}", ""

    def _call(self, method: str, path: str, body: str) -> str:
        """Send one call; return what went wrong, or an empty text."""
        try:
            self._connection.request(method, path, body or None, self._headers)
            answer = self._connection.getresponse()
            answer.read()
        except (OSError, HTTPException) as error:
            self._connection.close()
            return type(error).__name__
        return "" if answer.status in (200, 201) else str(answer.status)


def main(port: int, seconds: float, day: str, other_day: str) -> None:
    """Call the API with every token for some seconds, and print how long the calls took."""
    os.nice(NICENESS)
    tokens = [line.strip() for line in sys.stdin if line.strip()]
    programs = [
        Program(token, port=port, day=day, other_day=other_day, number=number)
        for number, token in enumerate(tokens)
    ]
    first = time.monotonic() + 1
    threads = []
    for number, program in enumerate(programs):
        # Not all in the same moment.
        begin = first + number / len(programs) / CALLS_A_SECOND
        times = {"begin": begin, "until": begin + seconds}
        threads.append(threading.Thread(target=program.run, kwargs=times))
    for thread in threads:
        thread.start()
    time.sleep(max(0.0, first - time.monotonic()))
    sys.stdout.write("begun\n")
    sys.stdout.flush()
    durations: defaultdict[str, list[float]] = defaultdict(list)
    errors: Counter[str] = Counter()
    for thread, program in zip(threads, programs, strict=True):
        thread.join()
        for kind, values in program.durations.items():
            durations[kind] += values
        errors += program.errors
    sys.stdout.write(json.dumps({"durations": durations, "errors": errors}) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), *sys.argv[3:5])
