"""The blind pump moves bytes to a model server in the clear, and never shows a caller's key to a network."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest
from waiting import PATIENCE_S

from modelward.collector import blind_pump
from modelward.collector.blind_end import End
from modelward.collector.blind_pump import BlindPump
from modelward.collector.listening import listening_socket

KEY = b"sk-very-secret"
HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer " + KEY + b"\r\n"


@pytest.fixture
def server() -> Iterator[socket.socket]:
    """A listener where the upstream should be."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        listening.settimeout(0.3)
        yield listening


@pytest.fixture
def entrance() -> Iterator[socket.socket]:
    with closing(listening_socket("127.0.0.1", 0)) as listening:
        yield listening


def asked(entrance: socket.socket, body: bytes = b"{}") -> bytes:
    """Send a whole request before reading, as many clients do, and return all that comes until the end."""
    with closing(socket.create_connection(entrance.getsockname(), 5)) as client:
        client.sendall(HEAD + b"content-length: %d\r\n\r\n" % len(body) + body)
        answer = b""
        while data := client.recv(65_536):
            answer += data
        return answer


@pytest.mark.parametrize("body", [b"{}", b"x" * (8 << 20)], ids=["small", "large"])
@pytest.mark.parametrize("scheme", ["https://", ""], ids=["https", "no upstream"])
def test_in_front_of_https_a_caller_gets_502_and_not_a_byte_is_sent_in_the_clear(
    entrance: socket.socket, server: socket.socket, scheme: str, body: bytes
) -> None:
    host, port = server.getsockname()
    pump = BlindPump(entrance)
    pump.start(f"{scheme}{host}:{port}/v1" if scheme else "")
    assert (pump.accepting, pump.passing) == (True, False)
    for _ in range(3):
        head, _, answer = asked(entrance, body).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 502 Bad Gateway")
        error = json.loads(answer)["error"]
        assert (error["type"], error["code"]) == ("upstream_unavailable", 502)
    with pytest.raises(TimeoutError):
        server.accept()
    pump.stop()
    assert (pump.accepting, pump.passing) == (False, False)


def test_in_front_of_http_bytes_pass_as_they_are(entrance: socket.socket, server: socket.socket) -> None:
    host, port = server.getsockname()
    pump = BlindPump(entrance)
    pump.start(f"http://{host}:{port}")
    assert pump.passing
    answers: list[bytes] = []
    asking = threading.Thread(target=lambda: answers.append(asked(entrance)))
    asking.start()
    with closing(server.accept()[0]) as connection:
        assert KEY in connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
    asking.join(PATIENCE_S)
    assert answers == [b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"]
    pump.stop()


def test_in_front_of_a_path_bytes_as_they_are_would_miss_it_so_a_caller_gets_502(
    entrance: socket.socket, server: socket.socket
) -> None:
    host, port = server.getsockname()
    pump = BlindPump(entrance)
    pump.start(f"http://{host}:{port}/team-a")
    assert (pump.accepting, pump.passing) == (True, False)
    assert asked(entrance).startswith(b"HTTP/1.1 502 Bad Gateway")
    with pytest.raises(TimeoutError):
        server.accept()
    pump.stop()


def test_a_server_that_takes_no_connection_holds_up_no_connection_that_runs(
    entrance: socket.socket, server: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    host, port = server.getsockname()
    pump = BlindPump(entrance)
    pump.start(f"http://{host}:{port}")
    with (
        closing(socket.create_connection(entrance.getsockname(), 5)) as client,
        closing(server.accept()[0]) as connection,
        closing(socket.create_server(("127.0.0.1", 0), backlog=0)) as full,
    ):
        waiting = [socket.create_connection(full.getsockname(), 5)]  # its queue of one is used up: the next ones hang
        full_host, full_port = full.getsockname()
        monkeypatch.setattr(blind_pump, "_CONNECT_SECONDS", 60.0)
        pump.start(f"http://{full_host}:{full_port}")
        hanging = [socket.create_connection(entrance.getsockname(), 5) for _ in range(3)]
        connection.settimeout(PATIENCE_S)
        for word in (b"one", b"two", b"three"):
            client.sendall(word)
            assert connection.recv(100) == word, "well within the time that connecting may take"
        for sock in (*waiting, *hanging):
            sock.close()
    pump.stop()


def test_a_server_that_refuses_connections_is_answered_for(entrance: socket.socket) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as gone:
        host, port = gone.getsockname()
    pump = BlindPump(entrance)
    pump.start(f"http://{host}:{port}")
    assert asked(entrance).startswith(b"HTTP/1.1 502 Bad Gateway")
    pump.stop()


def test_clients_that_come_together_are_taken_together(entrance: socket.socket, server: socket.socket) -> None:
    host, port = server.getsockname()
    pump = BlindPump(entrance)
    clients = [socket.create_connection(entrance.getsockname(), 5) for _ in range(40)]
    accepted: list[int] = []
    begin = pump._begin

    def begun(client: End) -> None:
        accepted.append(passes[0])
        begin(client)

    passes = [0]
    watch = pump._watch_listener

    def counted() -> None:
        passes[0] += 1
        watch()

    pump._begin, pump._watch_listener = begun, counted  # type: ignore[method-assign]
    pump.start(f"http://{host}:{port}")
    connections = [server.accept()[0] for _ in clients]
    assert len(set(accepted)) < 10, "not one in each pass of the loop"
    for sock in (*clients, *connections):
        sock.close()
    pump.stop()
