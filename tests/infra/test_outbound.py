"""Requests to addresses that users name: nothing of our own network can be reached, by whatever way it is written."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from app.infra import outbound
from app.infra.outbound import BadAddress, check_url, is_public, post, resolve
from tests.messaging.receiver import Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver that takes everything."""
    started = Receiver().start()
    yield started
    started.stop()


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/",
        "ftp://example.org/",
        "file:///etc/passwd",
        "gopher://example.org/",
        "https://",
        "https:///path",
        "//example.org",
        "example.org",
        "https://user:password@example.org/",
        "https://user@example.org/",
        "https://example.org:0/",
        "https://example.org:99999/",
        "https://example.org/#part",
        "https://example.org/\r\nX-Other: 1",
        "https://example.org/a b",
        "https://exämple.org/",
        "https://[::1/",
        "https://example.org/" + "x" * 2000,
        "",
    ],
)
def test_what_is_no_address_to_ask(url: str) -> None:
    with pytest.raises(BadAddress):
        check_url(url)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.9.9.9", "0.0.0.1", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
        "169.254.169.254", str(ipaddress.IPv4Address(0)),
        "100.64.0.1", "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "240.0.0.1",
        "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "fec0::1", "ff02::1",
        "2001:db8::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1",
        "2002:7f00:1::", "2002:a00:1::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    ],
)  # fmt: skip
def test_networks_that_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:1.1.1.1"])
def test_networks_that_are(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "::1", "::ffff:127.0.0.1"]
)
def test_every_way_to_write_this_machine_is_refused(host: str) -> None:
    with pytest.raises((BadAddress, OSError)):
        resolve(host, 443)


def answers(*addresses: str) -> Any:
    def look_up(_host: str, port: int, **_: object) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    return look_up


def test_a_name_with_one_private_address_among_public_ones_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", answers("1.1.1.1", "10.0.0.1"))
    with pytest.raises(BadAddress):
        resolve("example.org", 443)


def test_the_connection_goes_to_the_address_that_was_checked_and_the_name_is_asked_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked, connected = [], []
    first = answers("1.1.1.1")

    def look_up(host: str, port: int, **more: object) -> list[Any]:
        asked.append(host)
        # The second answer is this machine: a name that changes must gain nothing by it.
        return list(first(host, port, **more) if len(asked) == 1 else answers("127.0.0.1")(host, port))

    def connect(address: tuple[str, int], **_: object) -> socket.socket:
        connected.append(address)
        raise ConnectionRefusedError("no")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(socket, "create_connection", connect)
    reply = post("https://rebinding.example.org/hook", b"{}", {})
    assert (reply.status, reply.reason) == (None, "no")
    assert (asked, connected) == (["rebinding.example.org"], [("1.1.1.1", 443)])


def test_without_leave_for_tests_not_even_the_loopback_is_asked(receiver: Receiver) -> None:
    assert post(f"{receiver.url}/hook", b"{}", {}).status is None
    assert post(receiver.url.replace("http:", "https:"), b"{}", {}).status is None
    assert receiver.came == []


def test_a_post_says_what_it_is_given_and_reads_the_status(receiver: Receiver) -> None:
    reply = post(f"{receiver.url}/hook?a=1", b'{"a":1}', {"X-One": "1"}, loopback=True)
    assert (reply.status, reply.accepted) == (204, True)
    ((path, headers, body),) = receiver.came
    assert (path, headers["X-One"], body) == ("/hook?a=1", "1", b'{"a":1}')
    assert headers["Host"] == receiver.url.removeprefix("http://")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_not_followed(receiver: Receiver, status: int) -> None:
    receiver.answer = status
    reply = post(f"{receiver.url}/hook", b"{}", {}, loopback=True)
    assert (reply.status, reply.accepted) == (status, False)
    assert [path for path, _, _ in receiver.came] == ["/hook"]


@pytest.mark.parametrize("answer", [b"", b"nonsense\r\n", b"HTTP/1.1 2000 OK\r\n", b"HTTP/1.1\r\n", b"\xff" * 9000])
def test_an_answer_that_is_none_is_no_consent(receiver: Receiver, answer: bytes) -> None:
    receiver.answer = answer
    assert not post(f"{receiver.url}/", b"{}", {}, loopback=True).accepted


def test_a_receiver_that_never_answers_holds_nobody_longer_than_the_limit(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbound, "REQUEST_SECONDS", 0.3)
    receiver.delay = 1.5
    reply = post(f"{receiver.url}/", b"{}", {}, loopback=True)
    assert reply.status is None
    assert reply.reason
