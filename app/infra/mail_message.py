"""A message as bytes: headers that cannot be smuggled into, a text and an HTML form of the same words.

Written here rather than through `email.message`, which takes ten times as long for these few forms; what it
writes is read back with `email.parser` in the tests.
"""

from __future__ import annotations

import re
from base64 import encodebytes
from dataclasses import dataclass
from datetime import UTC, datetime
from email.header import Header
from email.utils import format_datetime, parseaddr
from functools import lru_cache

_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\x85]")
_ADDRESS = re.compile(r"[^\s<>\"(),:;\[\]\\@\x00-\x20\x7f]+@[^\s<>\"(),:;\[\]\\@\x00-\x20\x7f]+")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9 !#$%&'*+/=?^_`{|}~-]*")
# RFC 5322 allows 998 characters in a line; 900 leaves room for the header's name.
_LONGEST_LINE = 900


def one_line(words: str) -> str:
    """The words without what no header can hold: line ends and other control characters become a space."""
    return " ".join(_CONTROL.sub(" ", words).split())


@dataclass(frozen=True, slots=True)
class Address:
    """A name (may be empty) and an address. Raises ValueError when either could end the header early."""

    name: str
    address: str

    def __post_init__(self) -> None:
        if not _ADDRESS.fullmatch(self.address) or len(self.address) > 254:
            raise ValueError(f"not an e-mail address: {self.address!r}")
        if _CONTROL.search(self.name):
            raise ValueError("a name with control characters")

    @staticmethod
    @lru_cache(maxsize=64)
    def parse(written: str) -> Address:
        """Read `Name <address>` or a bare address; raises ValueError when it is neither."""
        name, address = parseaddr(written)
        return Address(name, address)

    def header(self) -> str:
        """As a header shows it; a name with other letters is encoded (RFC 2047)."""
        if not self.name:
            return self.address
        if not self.name.isascii():
            return f"{_encoded(self.name)} <{self.address}>"
        if _PLAIN_NAME.fullmatch(self.name):
            return f"{self.name} <{self.address}>"
        escaped = self.name.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}" <{self.address}>'


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail. `unsubscribe` is the address of RFC 8058's one-click POST; only optional mail has one."""

    message_id: str
    sender: Address
    to: Address
    subject: str
    text: str
    html: str = ""
    reply_to: Address | None = None
    unsubscribe: str = ""
    # Which of the organization's lists the mail is of (RFC 2919), and what that is called.
    list_id: str = ""
    list_name: str = ""
    date: datetime | None = None


def domain_of(mail_from: str) -> str:
    """The domain of an address such as `Octant <octant@example.org>`."""
    return Address.parse(mail_from).address.rpartition("@")[2]


def write_letter(letter: Letter) -> bytes:
    """The message with CRLF line ends. Raises ValueError when a header holds a control character."""
    headers = [
        ("From", letter.sender.header()),
        ("To", letter.to.header()),
        ("Subject", _checked(letter.subject, encode=True)),
        ("Date", format_datetime(letter.date or datetime.now(UTC))),
        ("Message-ID", _checked(letter.message_id)),
        ("MIME-Version", "1.0"),
    ]
    if letter.reply_to is not None:
        headers.insert(2, ("Reply-To", letter.reply_to.header()))
    if letter.unsubscribe:
        headers.append(("List-Unsubscribe", f"<{_checked(letter.unsubscribe)}>"))
        headers.append(("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
    if letter.list_id:
        name = Address(one_line(letter.list_name), f"list@{letter.list_id}").header().rpartition("<")[0]
        headers.append(("List-Id", f"{name}<{_checked(letter.list_id)}>"))
    # A person did not write it, so absence notices stay away (RFC 3834).
    headers.append(("Auto-Submitted", "auto-generated"))
    if not letter.html:
        kind, encoding, body = _part("plain", letter.text)
        headers += [("Content-Type", kind), ("Content-Transfer-Encoding", encoding)]
    else:
        boundary = "=_" + re.sub(r"[^A-Za-z0-9]", "", letter.message_id)[:60]
        headers.append(("Content-Type", f'multipart/alternative; boundary="{boundary}"'))
        body = b"".join(
            f"--{boundary}\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n".encode()
            + part
            + b"\r\n"
            for kind, encoding, part in (_part("plain", letter.text), _part("html", letter.html))
        )
        body += f"--{boundary}--\r\n".encode()
    head = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return head.encode() + b"\r\n" + body


def _checked(value: str, *, encode: bool = False) -> str:
    if _CONTROL.search(value):
        raise ValueError("a header with control characters")
    if encode and (not value.isascii() or len(value) > _LONGEST_LINE or "=?" in value):
        return _encoded(value)
    return value


def _encoded(value: str) -> str:
    return Header(value, "utf-8", maxlinelen=70).encode(linesep="\r\n")


def _part(kind: str, words: str) -> tuple[str, str, bytes]:
    lines = words.replace("\r\n", "\n").replace("\r", "\n")
    if lines.isascii() and max(map(len, lines.split("\n"))) <= _LONGEST_LINE and "\x00" not in lines:
        return f"text/{kind}; charset=utf-8", "7bit", lines.replace("\n", "\r\n").encode()
    content = encodebytes(lines.replace("\n", "\r\n").encode()).replace(b"\n", b"\r\n")
    return f"text/{kind}; charset=utf-8", "base64", content
