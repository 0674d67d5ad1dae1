"""Requests to addresses that users name, which must never reach into our own network (SSRF).

The name is looked up once, every address it has must be a public one, and the connection goes to the address that was
checked, so that a name that answers differently the second time gains nothing. Redirects are not followed, proxies of
the environment are not asked, and of the answer no more than the status line is read.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from app.domain.saying import later

REQUEST_SECONDS = 10.0
_LONGEST_URL = 2000
_MOST_STATUS_LINE = 4096
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
# Ways to write an IPv4 address as an IPv6 one: the network behind them need not be public.
_EMBEDDING = tuple(ipaddress.ip_network(net) for net in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32"))


class BadAddress(ValueError):
    """An address that may not be asked; the text is a sentence that says why."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of a request: the status, or None with the reason why there is none."""

    status: int | None
    reason: str = ""

    @property
    def accepted(self) -> bool:
        """Whether the receiver took it (any 2xx)."""
        return self.status is not None and 200 <= self.status < 300


def check_url(url: str, *, loopback: bool = False) -> SplitResult:
    """The parts of an address that may be asked. Raises BadAddress for any other.

    `loopback` allows plain http to this machine, for tests and demonstrations.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise BadAddress(later("This is no address. Write one that begins with https://.")) from None
    if len(url) > _LONGEST_URL or not url.isascii() or any(sign <= " " or sign == "\x7f" for sign in url):
        raise BadAddress(later("This is no address. Write one that begins with https://."))
    if parts.scheme != "https" and not (loopback and parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise BadAddress(later("The address must begin with https://."))
    if not parts.hostname or parts.username is not None or parts.password is not None or port == 0:
        raise BadAddress(later("Write the address with the name of a host, and without a user or a password."))
    if parts.fragment:
        raise BadAddress(later("Leave out what follows the # sign: it is never sent."))
    return parts


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public network and hides no other one."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return is_public(str(found.ipv4_mapped))
        if found.is_site_local or any(found in net for net in _EMBEDDING):
            return False
    return found.is_global and not found.is_multicast and not found.is_reserved


def resolve(host: str, port: int, *, loopback: bool = False) -> str:
    """One address of a host, all of whose addresses may be asked. Raises BadAddress, or OSError for no such host."""
    found = {str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    for address in found:
        local = loopback and ipaddress.ip_address(address.partition("%")[0]).is_loopback
        if not local and not is_public(address):
            raise BadAddress(
                later("%(host)s lies in a network that is not public, so nothing is sent there.", host=host)
            )
    # The older network first: not every machine has a way into the newer.
    return min(found, key=lambda address: (":" in address, address))


def post(url: str, body: bytes, headers: Mapping[str, str], *, loopback: bool = False) -> Reply:
    """Send a POST to an address somebody named; never raises because of the receiver or the address."""
    deadline = time.monotonic() + REQUEST_SECONDS
    try:
        parts = check_url(url, loopback=loopback)
        host = parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        address = resolve(host, port, loopback=loopback)
        with socket.create_connection((address, port), timeout=REQUEST_SECONDS) as plain:
            if parts.scheme == "https":
                with ssl.create_default_context().wrap_socket(plain, server_hostname=host) as secured:
                    return _exchange(secured, parts, body, headers, deadline)
            return _exchange(plain, parts, body, headers, deadline)
    except BadAddress as error:
        return Reply(None, str(error))
    except (OSError, ValueError) as error:
        return Reply(None, " ".join(str(error).split())[:200] or type(error).__name__)


def _exchange(
    connection: socket.socket, parts: SplitResult, body: bytes, headers: Mapping[str, str], deadline: float
) -> Reply:
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [f"POST {target} HTTP/1.1", f"Host: {parts.netloc}", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    connection.settimeout(_left(deadline))
    connection.sendall("\r\n".join([*lines, "", ""]).encode("ascii") + body)
    answer = b""
    # Byte by byte a receiver could hold us for ever: the deadline counts for all of it.
    while b"\n" not in answer and len(answer) < _MOST_STATUS_LINE:
        connection.settimeout(_left(deadline))
        more = connection.recv(_MOST_STATUS_LINE)
        if not more:
            break
        answer += more
    line = answer.partition(b"\n")[0].split()
    if len(line) < 2 or not line[0].startswith(b"HTTP/1.") or len(line[1]) != 3 or not line[1].isdigit():
        return Reply(None, "The answer is none of HTTP.")
    return Reply(int(line[1]), f"HTTP {line[1].decode()}")


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("The answer took too long.")
    return left
