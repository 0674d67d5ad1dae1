"""One frozen `Settings`; nothing else reads the environment.

A missing, malformed or unknown `OCTANT_` variable stops the boot and is named, so that a typing
error never silently becomes a default.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

PREFIX = "OCTANT_"
# Read by other programs of the project (tests, the data-reading suite, `octant db create`), never by the service.
FOREIGN = frozenset(
    {
        "OCTANT_REQUIRE_BROWSER",
        "OCTANT_SHARED_DATA",
        "OCTANT_EXAMPLES",
        "OCTANT_TEST_LONG",
        "OCTANT_SUPERUSER_URL",
    }
)


class ConfigurationError(Exception):
    """The environment does not describe a runnable installation; the text names every variable at fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How this process reaches its surroundings.

    Addresses are URLs. `database_url` is the tenant role `octant_app`, `identity_database_url` the
    sign-in role `octant_identity`; `owner_database_url` is needed by migrations only.
    """

    database_url: str
    identity_database_url: str
    broker_url: str
    secret_key: str
    public_url: str
    storage_dir: Path
    smtp_url: str
    mail_from: str
    owner_database_url: str = ""
    previous_secret_keys: tuple[str, ...] = ()
    mail_lookup_url: str = ""
    mail_browser_url: str = ""
    # Where mail that cannot be delivered comes back to: `octant bounce` reads it. Each mail has an address of its own
    # there, bounce+<what it is>@domain; empty: mail comes back to the sender, and nobody learns of it.
    bounce_address: str = ""
    environment: Literal["production", "demo", "test"] = "production"
    pool_size: int = 8
    statement_timeout_ms: int = 30_000
    prepare_threshold: int = 5
    # How long a worker may hold what it claimed; the hard time limit of its tasks is a tenth below.
    lease_seconds: int = 60
    # A worker touches this file each time a message of its own comes back to it; an outside supervisor
    # restarts a worker whose file grows old: it is alive but no longer hears the broker.
    heartbeat_file: str = ""
    log_format: Literal["json", "text"] = "json"
    log_level: str = "INFO"
    trusted_proxies: int = 0
    max_upload_mib: int = 64
    # No part of an archive of reports becomes larger; what a memory stick, a mail or a proxy takes may be less.
    archive_part_mib: int = 2048
    # A file of known passwords, one a line, refused besides the built-in rules (docs/adr/0003).
    common_passwords_file: str = ""

    @property
    def secure(self) -> bool:
        """Whether the public address is https, which decides the cookie prefix and HSTS."""
        return urlsplit(self.public_url).scheme == "https"

    def key_for(self, purpose: str) -> bytes:
        """A 32-byte key for one purpose, derived from the secret so that no two uses share a key.

        Derivation: HMAC-SHA-256(secret, purpose), the expand step of RFC 5869 with one block.
        """
        return hmac.new(self.secret_key.encode(), b"octant:" + purpose.encode(), hashlib.sha256).digest()

    def environ(self) -> dict[str, str]:
        """The variables that would make `load` return this value again; for child processes."""
        result = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if value != field.default or field.name in _REQUIRED:
                text = ",".join(value) if isinstance(value, tuple) else str(value)
                result[PREFIX + field.name.upper()] = text
        return result


_REQUIRED = frozenset(
    {
        "database_url",
        "identity_database_url",
        "broker_url",
        "secret_key",
        "public_url",
        "storage_dir",
        "smtp_url",
        "mail_from",
    }
)
# What a mail is takes 56 characters more, and the part before the @ has at most 64 (RFC 5321).
_BOUNCE_ADDRESS = re.compile(r"[a-z0-9]{1,8}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
_CHOICES = {"environment": ("production", "demo", "test"), "log_format": ("json", "text")}


def load(environ: Mapping[str, str]) -> Settings:
    """Read `Settings` from variables named `OCTANT_<FIELD>`.

    Raises ConfigurationError naming every missing, malformed or unknown variable at once.
    """
    known = {field.name: field for field in fields(Settings)}
    given = {k[len(PREFIX) :].lower(): v for k, v in environ.items() if k.startswith(PREFIX) and k not in FOREIGN}
    problems = [f"{PREFIX}{name.upper()} is not a setting of Octant" for name in sorted(set(given) - set(known))]
    problems += [f"{PREFIX}{name.upper()} is missing" for name in sorted(_REQUIRED) if not given.get(name)]
    values: dict[str, object] = {}
    for name, text in given.items():
        if name not in known:
            continue
        default = known[name].default
        if name in _CHOICES and text not in _CHOICES[name]:
            problems.append(f"{PREFIX}{name.upper()} must be one of {', '.join(_CHOICES[name])}")
        elif name == "previous_secret_keys":
            values[name] = tuple(part for part in text.split(",") if part)
        elif name == "storage_dir":
            values[name] = Path(text).absolute()
        elif isinstance(default, int):
            if text.isdigit():
                values[name] = int(text)
            else:
                problems.append(f"{PREFIX}{name.upper()} must be a whole number")
        else:
            values[name] = text
    problems += _misshapen(given)
    if problems:
        raise ConfigurationError("; ".join(problems))
    return Settings(**values)  # type: ignore[arg-type] # each value was shaped by its field above


def _misshapen(given: Mapping[str, str]) -> list[str]:
    """What is wrong with the form of single values."""
    problems = []
    if 0 < len(given.get("secret_key", "")) < 32:
        problems.append("OCTANT_SECRET_KEY must have at least 32 characters; `openssl rand -hex 32` makes one")
    part = given.get("archive_part_mib", "1")
    if part.isdigit() and not 1 <= int(part) <= 4000:
        problems.append("OCTANT_ARCHIVE_PART_MIB must be from 1 to 4000")
    if given.get("public_url") and urlsplit(given["public_url"]).scheme not in {"http", "https"}:
        problems.append("OCTANT_PUBLIC_URL must begin with http:// or https://")
    if given.get("bounce_address") and not _BOUNCE_ADDRESS.fullmatch(given["bounce_address"]):
        problems.append("OCTANT_BOUNCE_ADDRESS must be an address with 1 to 8 small letters or digits before the @")
    return problems
