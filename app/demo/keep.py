"""What a demonstration remembers between two starts: its secrets, its ports and the phases it has finished."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

# Words for a password that can be typed from the terminal; short, and far apart in sound.
_WORDS = (
    *("amber", "anchor", "basin", "beacon", "birch", "canyon", "cedar", "cobalt", "compass", "copper", "coral"),
    *("delta", "ember", "falcon", "fern", "garnet", "glacier", "granite", "hazel", "heron", "indigo"),
    *("island", "juniper", "lagoon", "lantern", "linen", "maple", "marble", "meadow", "nickel", "ochre", "olive"),
    *("orbit", "orchid", "pebble", "pepper", "plover", "prairie", "quartz", "quill", "raven", "ribbon", "saffron"),
    *("sail", "sextant", "silver", "spruce", "tundra", "velvet", "walnut", "willow", "yarrow", "zephyr"),
)


@dataclass
class Keep:
    """The file `demo.json` in the data folder, readable by its owner only."""

    path: Path
    secret_key: str = ""
    password: str = ""
    role_passwords: dict[str, str] = field(default_factory=dict)
    seed: int = 0
    size: int = 0
    # What each finished phase found out (ids, counts) and how long it took, by its name.
    phases: dict[str, dict[str, Any]] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)

    def save(self) -> None:
        """Write the file whole, so that a kill leaves the old one or the new one."""
        values = {name: value for name, value in asdict(self).items() if name != "path"}
        fresh = self.path.with_name(self.path.name + ".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(values, file, indent=2, ensure_ascii=False)
        fresh.replace(self.path)


def open_keep(folder: Path, *, roles: tuple[str, ...], size: int, seed: int) -> Keep:
    """The demonstration kept in `folder`, or a new one of `size` clients with fresh secrets.

    A kept one keeps its size and its people: they are in its database already.
    """
    path = folder / "demo.json"
    if path.exists():
        return Keep(path=path, **json.loads(path.read_text(encoding="utf-8")))
    keep = Keep(
        path=path,
        secret_key=secrets.token_hex(32),
        password="-".join(secrets.choice(_WORDS) for _ in range(5)),
        role_passwords={role: secrets.token_urlsafe(24) for role in roles},
        seed=seed,
        size=size,
    )
    keep.save()
    return keep
