"""The sink's pages: a list of messages, one message, and what programs ask."""

import html
import json
import re
from email.message import EmailMessage
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import parse_qs, quote, urlsplit

from app.infra.mailsink.faults import Faults
from app.infra.mailsink.store import MailStore

_SHOWN = 200
_LINK = re.compile(r"https?://[^\s<>\"']+")
_POLICY = "default-src 'none'; style-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'"
# The message's HTML comes from elsewhere: no script, no origin, no form; a link opens a tab of its own.
_SANDBOX = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; img-src data:; "
    "style-src 'unsafe-inline'; frame-ancestors 'self'"
)
_STYLE = """
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: start; margin-block-end: .5rem; }
th, td { text-align: start; padding: .4rem .6rem; border-block-end: 1px solid #8886; vertical-align: top; }
td, dd, pre { overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; }
dd { margin: 0; }
pre { white-space: pre-wrap; padding: 1rem; border: 1px solid #8886; }
iframe { width: 100%; height: 36rem; border: 1px solid #8886; background: #fff; }
"""


def _page(title: str, body: str) -> bytes:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{html.escape(title)}</title><link rel="stylesheet" href="/style.css"></head>'
        f"<body><main><h1>{html.escape(title)}</h1>{body}</main></body></html>"
    ).encode()


def _header(message: EmailMessage, name: str) -> str:
    return html.escape(str(message.get(name, "")))


def _list_page(store: MailStore) -> bytes:
    names = store.names()
    rows = []
    for name in names[:_SHOWN]:
        message = store.message(name, headers_only=True)
        if message is not None:
            subject = _header(message, "Subject") or "(no subject)"
            rows.append(
                f'<tr><td><a href="/message/{name}">{subject}</a></td>'
                f"<td>{_header(message, 'To')}</td><td>{_header(message, 'Date')}</td></tr>"
            )
    if not rows:
        return _page("Mail", "<p>No mail yet. What Octant sends appears here; load the page again to look.</p>")
    caption = f"{len(names)} messages, newest first"
    if len(names) > _SHOWN:
        caption += f"; the newest {_SHOWN} are shown"
    return _page(
        "Mail",
        f'<table><caption>{caption}</caption><thead><tr><th scope="col">Subject</th><th scope="col">To</th>'
        f'<th scope="col">Date</th></tr></thead><tbody>{"".join(rows)}</tbody></table>',
    )


def _with_links(text: str) -> str:
    """Return ``text`` as HTML in which each web address can be followed."""
    parts = []
    end = 0
    for found in _LINK.finditer(text):
        address = html.escape(found.group().rstrip(".,;:)"))
        parts.append(html.escape(text[end : found.start()]))
        parts.append(f'<a href="{address}" rel="noreferrer">{address}</a>')
        end = found.start() + len(found.group().rstrip(".,;:)"))
    return "".join([*parts, html.escape(text[end:])])


def _text_of(message: EmailMessage, kind: str) -> str | None:
    part = message.get_body((kind,))
    return None if part is None else str(part.get_content())


def _message_page(name: str, message: EmailMessage) -> bytes:
    body = ['<p><a href="/">All mail</a></p><dl>']
    for header in ("From", "To", "Subject", "Date", "Message-ID"):
        body.append(f"<dt>{header}</dt><dd>{_header(message, header)}</dd>")
    attached = [html.escape(part.get_filename() or "unnamed") for part in message.iter_attachments()]
    if attached:
        body.append(f"<dt>Attached</dt><dd>{', '.join(attached)}</dd>")
    body.append(f'</dl><p><a href="/message/{name}.eml">Save the message as it came</a></p>')
    text = _text_of(message, "plain")
    if text is not None:
        body.append(f"<h2>Text</h2><pre>{_with_links(text)}</pre>")
    if _text_of(message, "html") is not None:
        body.append(
            f'<h2>HTML</h2><iframe sandbox="allow-popups allow-popups-to-escape-sandbox" '
            f'title="The message as HTML" src="/message/{name}/html"></iframe>'
        )
    return _page(str(message.get("Subject", "")) or "(no subject)", "".join(body))


class _Handler(BaseHTTPRequestHandler):
    store: ClassVar[MailStore]
    faults: ClassVar[Faults]
    protocol_version = "HTTP/1.1"
    timeout = 30

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the parent's
        """Say nothing: the demonstration's terminal is for its own lines."""

    def _answer(
        self,
        content: bytes,
        kind: str,
        *,
        status: HTTPStatus = HTTPStatus.OK,
        policy: str = _POLICY,
        save_as: str = "",
    ) -> None:
        self.send_response(status)
        headers = {
            "Content-Type": kind,
            "Content-Length": str(len(content)),
            "Content-Security-Policy": policy,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
        }
        if save_as:
            headers["Content-Disposition"] = f"attachment; filename*=utf-8''{quote(save_as)}"
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def _html(self, content: bytes, *, policy: str = _POLICY) -> None:
        self._answer(content, "text/html; charset=utf-8", policy=policy)

    def _json(self, value: object, status: HTTPStatus = HTTPStatus.OK) -> None:
        self._answer(json.dumps(value).encode(), "application/json", status=status)

    def _not_found(self) -> None:
        self._answer(b"Not found\n", "text/plain; charset=utf-8", status=HTTPStatus.NOT_FOUND)

    def _is_for_us(self) -> bool:
        """Refuse other host names: a page elsewhere could have its name lead here and read the mail."""
        host = urlsplit(f"//{self.headers.get('Host', '')}").hostname
        if host in {"127.0.0.1", "localhost"}:
            return True
        self._answer(b"Unknown host\n", "text/plain; charset=utf-8", status=HTTPStatus.MISDIRECTED_REQUEST)
        return False

    def do_GET(self) -> None:
        """Answer a page or a question."""
        if not self._is_for_us():
            return
        address = urlsplit(self.path)
        if address.path == "/":
            self._html(_list_page(self.store))
        elif address.path == "/style.css":
            self._answer(_STYLE.encode(), "text/css; charset=utf-8")
        elif address.path == "/healthz":
            self._json({"ok": True, "accepted": self.store.count()})
        elif address.path == "/lookup":
            wanted = parse_qs(address.query).get("message_id", [""])[0]
            times = self.store.times_seen(wanted)
            self._json({"seen": times > 0, "times": times})
        elif address.path.startswith("/message/"):
            self._message(address.path.removeprefix("/message/"))
        else:
            self._not_found()

    def _message(self, rest: str) -> None:
        name, _, part = rest.partition("/")
        name, dot, _ = name.partition(".eml")
        message = self.store.message(name)
        raw = self.store.raw(name)
        if message is None or raw is None:
            self._not_found()
        elif dot:
            self._answer(raw, "message/rfc822", save_as=f"{name}.eml")
        elif part == "html":
            self._html((_text_of(message, "html") or "").encode(), policy=_SANDBOX)
        elif part:
            self._not_found()
        else:
            self._html(_message_page(name, message))

    def do_PUT(self) -> None:
        """Replace the fault rules; a browser asks before it puts across sites, and we never agree."""
        length = int(self.headers.get("Content-Length", "0"))
        body = self.rfile.read(length)
        if not self._is_for_us():
            return
        if self.path != "/rules":
            self._not_found()
            return
        try:
            self.faults.replace(json.loads(body))
        except (ValueError, TypeError) as error:
            self._json({"error": str(error)}, HTTPStatus.BAD_REQUEST)
        else:
            self._json({"ok": True})


def make_http_server(store: MailStore, faults: Faults, port: int) -> ThreadingHTTPServer:
    """Listen for HTTP on 127.0.0.1 at ``port`` (0 lets the system choose); the caller runs it in a thread."""
    handler = type("Handler", (_Handler,), {"store": store, "faults": faults})
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    server.daemon_threads = True
    return server
