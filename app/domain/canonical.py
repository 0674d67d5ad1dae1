"""One way of writing JSON, so that equal content has an equal checksum wherever it is computed."""

import hashlib
import json
from typing import Any


def canonical_json(value: Any) -> str:
    """Plain JSON with sorted keys, no blanks and every letter as itself. Raises ValueError for NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(value: Any) -> str:
    """The SHA-256 (64 hexadecimal digits) of the value's canonical JSON."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()
