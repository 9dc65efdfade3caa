"""An id for a user that whoever has the key can make of the real one, and nobody else; the same as in TypeScript."""

from __future__ import annotations

import hashlib
import hmac
import re

from millrace.errors import MillraceError

_KEY_PATTERN = re.compile(r"[0-9a-f]{64}")
_DOMAIN = b"millrace/pseudonym/1\x00"


def pseudonym(key: str, user_id: str) -> str:
    """64 hex digits. `key`: 64 hex digits that nobody can guess; `user_id`: text, taken as it is: ` 7` is not `7`."""
    if not isinstance(key, str) or _KEY_PATTERN.fullmatch(key) is None:
        raise MillraceError(
            "The key of pseudonyms is not 64 hex digits",
            code="pseudonym-key-invalid",
            next="Make one with `openssl rand -hex 32` and keep it where keys are kept.",
        )
    text = _utf8(user_id)
    if not text:
        raise MillraceError(
            "A user's id is text of Unicode, and not empty",
            code="user-id-invalid",
            next="Write a number in its decimal digits first.",
        )
    return hmac.new(bytes.fromhex(key), _DOMAIN + text, hashlib.sha256).hexdigest()


def _utf8(user_id: str) -> bytes:
    try:
        return user_id.encode("utf-8") if isinstance(user_id, str) else b""
    except UnicodeEncodeError:  # Half of a surrogate pair.
        return b""
