"""JSON that is stored and that every language reads: no NaN, no infinity, no half of a character."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from millrace.errors import MillraceError


def stored_json(value: Any, *, indent: int | None = None) -> bytes:
    """Of what `plain_properties` or this package itself has made."""
    return (json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False) + "\n").encode()


def papers_json(value: Any, **form: Any) -> bytes:
    """Of a model's papers. Raises MillraceError `papers-invalid`."""
    try:
        return json.dumps(value, allow_nan=False, **form).encode()
    except (TypeError, ValueError) as error:
        raise MillraceError(
            f"The papers of the model cannot be written as JSON: {error}",
            code="papers-invalid",
            next="Numbers are finite, as coefficients and thresholds of a model that was fitted are; everything else is text.",
        ) from error


def plain_properties(properties: Mapping[str, Any]) -> dict[str, Any]:
    """As JSON has them, numbers and flags of numpy too. Raises MillraceError `properties-invalid`."""
    plain: dict[str, Any] = _plain(properties, "properties")
    return plain


def _plain(value: Any, where: str) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise _invalid(where, f"is {value}, which JSON has not", "Leave it out, or give None.")
        return value
    if isinstance(value, str):
        if not is_unicode(value):
            raise _invalid(where, f"has half of a character: {value!r}", "Mend the text.")
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(each, f"{where}[{place}]") for place, each in enumerate(value)]
    if isinstance(value, Mapping):
        names = [name for name in value if not isinstance(name, str) or not is_unicode(name)]
        if names:
            raise _invalid(where, f"has the name {names[0]!r}, which is no text", "Give names as text.")
        return {name: _plain(each, f"{where}[{name!r}]") for name, each in value.items()}
    raise _invalid(where, f"is of {type(value).__name__}", "Give numbers, texts, flags, None, and lists and dicts of these.")


def is_unicode(text: str) -> bool:
    """A lone surrogate cannot be stored as UTF-8."""
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def _invalid(where: str, what: str, next: str) -> MillraceError:
    return MillraceError(f"{where} {what}", code="properties-invalid", next=next)
