"""One batch of a partition as its manifest says, and what is said of one that cannot be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from millrace.errors import MillraceError


@dataclass(frozen=True)
class Batch:
    """One batch of a partition, its manifest checked."""

    batch_id: str
    # Prefix of its objects, with the slash.
    location: str
    manifest: dict[str, Any]

    @property
    def table(self) -> str:
        return str(self.manifest["table"])

    @property
    def partition(self) -> str:
        return str(self.manifest["partition"])

    @property
    def columns(self) -> dict[str, str]:
        """Name to type, in order."""
        return {column["name"]: column["type"] for column in self.manifest["columns"]}

    @property
    def properties(self) -> dict[str, Any]:
        """What its maker said beside."""
        properties: dict[str, Any] = self.manifest.get("properties", {})
        return properties


def damaged(key: str, what: str) -> MillraceError:
    return MillraceError(
        f"{key} cannot be used: {what}", code="batch-damaged", next="Roll the partition back to another batch."
    )


def purged(item: Mapping[str, Any]) -> MillraceError:
    """Of a batch's item."""
    note, successor = item.get("purged", {}), item.get("successor")
    return MillraceError(
        f"The bytes of {item['batchId']} are gone, purged by {note.get('who', 'somebody')}: {note.get('why', 'nobody said why')}",
        code="batch-purged",
        next="Read or store another batch of the partition; `millrace table history` lists them."
        if successor is None
        else f"Read its successor {successor}, which has its other rows.",
    )


def unavailable(what: str, error: Exception) -> MillraceError:
    return MillraceError(
        f"{what} cannot be read: {error}",
        code="catalog-unavailable",
        next="Check AWS_ENDPOINT_URL or the region, the credentials, the pipeline's name and the stage.",
    )
