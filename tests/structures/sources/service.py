"""A web service on this machine that answers as it is told to, and misbehaves on demand."""

import json
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlparse

from local_server import listening

#: Takes the path, the query and the headers; returns the status and what to send as JSON.
Answer = Callable[[str, dict[str, str], Any], tuple[int, Any]]


@dataclass
class Service:
    address: str = ""
    requests: list[str] = field(default_factory=list)
    user_agents: set[str] = field(default_factory=set)
    #: What happens to the next requests instead of an answer: a status, a status with a
    #: Retry-After, ``"drop"`` (half an answer), ``"hang up"`` (none), or None for the answer.
    mishaps: deque[Any] = field(default_factory=deque)
    #: Requests that mishaps are for; others are answered.
    fragile: str = ""

    def asked(self, part: str) -> int:
        return sum(part in request for request in self.requests)


@contextmanager
def running(answer: Answer) -> Iterator[Service]:
    service = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            service.requests.append(self.path)
            service.user_agents.add(self.headers.get("User-Agent", ""))
            parts = urlparse(self.path)
            mishap = None
            if service.mishaps and service.fragile in self.path:
                mishap = service.mishaps.popleft()
            if mishap == "hang up":
                self.close_connection = True
                return
            if isinstance(mishap, tuple):
                status, retry_after = mishap
                self.send(status, {"detail": "in trouble"}, {"Retry-After": str(retry_after)})
            elif isinstance(mishap, int):
                self.send(mishap, {"detail": "in trouble"})
            else:
                query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
                self.send(*answer(parts.path, query, self.headers), drop=mishap == "drop")

        def send(self, status, content, headers=None, drop=False) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if drop else body)
            self.close_connection = True

        def log_message(self, *args) -> None:
            pass

    with listening(Handler) as service.address:
        yield service
