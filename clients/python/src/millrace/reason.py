"""Who and why, which the history says of everything that changes what others read."""

from __future__ import annotations

from dataclasses import dataclass

from millrace.errors import MillraceError
from millrace.stored_json import is_unicode

REASON_BYTES_MAX = 1_024


@dataclass(frozen=True)
class Reason:
    """Who and why are asked of everybody who changes what others read."""

    who: str
    why: str

    def __post_init__(self) -> None:
        for name, text in (("who", self.who), ("why", self.why)):
            if text.strip() == "" or not is_unicode(text) or len(text.encode(errors="surrogatepass")) > REASON_BYTES_MAX:
                raise MillraceError(
                    f'"{name}" is empty, not Unicode or longer than {REASON_BYTES_MAX} bytes', code="reason-invalid", next="Say who and why in a sentence."
                )
