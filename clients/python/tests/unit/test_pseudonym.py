from __future__ import annotations

from typing import Any

import pytest

import millrace
from millrace import MillraceError

KEY = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
# Made by openssl; the test of TypeScript has the same.
KNOWN = {
    "4711": "3772351bb52ccc6ce3b69dacc01dcd708b7fee2089c138f2fb59c7fc961457f0",
    "erin@example.org": "84af894bfc840351e186ddc1a103d8a8b1c47cb176415a0aa43675813836cb0c",
    "Zoë 🐟": "25256bd0e8b1256a5af5bbf2d847ac9be5f53108789376e3262bc3c7b13cf78c",
}


def test_is_what_every_language_and_openssl_make_of_key_and_id() -> None:
    assert {user_id: millrace.pseudonym(KEY, user_id) for user_id in KNOWN} == KNOWN


@pytest.mark.parametrize("key", ["", "secret", KEY[2:], KEY.upper(), f"{KEY}\n", bytes.fromhex(KEY)])
def test_takes_no_other_key(key: Any) -> None:
    with pytest.raises(MillraceError) as raised:
        millrace.pseudonym(key, "4711")
    assert raised.value.code == "pseudonym-key-invalid"


@pytest.mark.parametrize("user_id", ["", "\ud800", 4711, 4711.0, None])
def test_is_of_no_other_id(user_id: Any) -> None:
    with pytest.raises(MillraceError) as raised:
        millrace.pseudonym(KEY, user_id)
    assert raised.value.code == "user-id-invalid"
