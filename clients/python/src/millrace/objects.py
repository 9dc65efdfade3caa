"""The objects of a bucket: created under names that nobody else has, looked at, read, listed; never overwritten or removed."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from millrace.batches import unavailable

SHA256_BYTES = 32
TAKEN = ("PreconditionFailed", "412", "ConditionalRequestConflict")
MISSING = ("NoSuchKey", "NotFound", "404")


@dataclass(frozen=True)
class Stat:
    """What the store knows of an object without reading it."""

    bytes: int
    # None where it was not told one when the object was created.
    sha256: str | None
    metadata: Mapping[str, str]


class Objects:
    """Raises MillraceError `catalog-unavailable` where the bucket does not answer."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3, self.bucket = s3, bucket

    def create(self, key: str, body: bytes, content_type: str, metadata: Mapping[str, str] | None = None) -> bool:
        """False where there is one of this name: it stays. The store refuses other bytes, and keeps the SHA-256 for `stat`."""
        sha256 = base64.b64encode(hashlib.sha256(body).digest()).decode()
        asked = {"ContentType": content_type, "ChecksumSHA256": sha256, "Metadata": dict(metadata or {}), "IfNoneMatch": "*"}
        try:
            self._s3.put_object(Bucket=self.bucket, Key=key, Body=body, **asked)
        except ClientError as error:
            if error.response["Error"]["Code"] not in TAKEN:
                raise self._unavailable(error) from error
            return False
        except BotoCoreError as error:
            raise self._unavailable(error) from error
        return True

    def stat(self, key: str) -> Stat | None:
        try:
            found = self._s3.head_object(Bucket=self.bucket, Key=key, ChecksumMode="ENABLED")
        except ClientError as error:
            if error.response["Error"]["Code"] in MISSING:
                return None
            raise self._unavailable(error) from error
        except BotoCoreError as error:
            raise self._unavailable(error) from error
        return Stat(int(found["ContentLength"]), _whole_sha256(found.get("ChecksumSHA256")), found.get("Metadata", {}))

    def find(self, key: str) -> bytes | None:
        try:
            body: bytes = self._s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        except self._s3.exceptions.NoSuchKey:
            return None
        except (BotoCoreError, ClientError) as error:
            raise self._unavailable(error) from error
        return body

    def keys(self, prefix: str) -> set[str]:
        """Of all objects that begin so."""
        try:
            pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
            return {str(found["Key"]) for page in pages for found in page.get("Contents", [])}
        except (BotoCoreError, ClientError) as error:
            raise self._unavailable(error) from error

    def _unavailable(self, error: Exception) -> Exception:
        return unavailable(f"The bucket {self.bucket}", error)


def _whole_sha256(base64_text: str | None) -> str | None:
    """That of an upload in several parts is a checksum of checksums, with a count behind it: of no use to who has the bytes."""
    if base64_text is None or "-" in base64_text:
        return None
    found = base64.b64decode(base64_text)
    return found.hex() if len(found) == SHA256_BYTES else None
