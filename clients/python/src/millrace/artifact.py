"""The zip of a model with its papers, written and read: `model.onnx`, `manifest.json`, `golden.json` and `extra/`, each with its hash.

The same model and papers are the same bytes. docs/models.md says what each field is."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from millrace.contract import ModelInput, ModelOutput
from millrace.errors import MillraceError
from millrace.stored_json import papers_json

FORMAT_VERSION = 2
GOLDEN_FORMAT_VERSION = 1
MANIFEST, MODEL, GOLDEN, SIGNATURE = "manifest.json", "model.onnx", "golden.json", "signature.json"
# As the engine has it: what a function has memory for.
TOTAL_BYTES_MAX = 201_326_592
# What zip can say at the least: entries carry no time of their own.
EPOCH = (1980, 1, 1, 0, 0, 0)
PLAIN_FILE = 0o100644 << 16


@dataclass(frozen=True)
class Artifact:
    """Read, every hash checked."""

    manifest: dict[str, Any]
    onnx: bytes
    golden: dict[str, Any] | None

    @property
    def inputs(self) -> list[ModelInput]:
        return [ModelInput(each["name"], each["fingerprint"], each["type"], each["missing"]) for each in self.manifest["inputs"]]

    @property
    def outputs(self) -> list[ModelOutput]:
        return [
            ModelOutput(
                each["name"],
                each["tensor"],
                each.get("kind", "number"),
                each.get("column", 0),
                tuple(each.get("classes", ())),
                tuple(each["range"]) if "range" in each else None,
                each.get("meaning"),
            )
            for each in self.manifest["outputs"]
        ]

    @property
    def tensors(self) -> dict[str, str]:
        return {each["name"]: each["tensor"] for each in self.manifest["inputs"] if "tensor" in each}


def write_artifact(papers: Mapping[str, Any], onnx: bytes, golden: Mapping[str, Any], extra: Mapping[str, bytes]) -> bytes:
    """`papers`: the manifest without what is said of files. `extra`: file name in extra/ to its bytes."""
    files = {GOLDEN: papers_json(golden, separators=(",", ":"))}
    files |= {f"extra/{name}": body for name, body in sorted(extra.items())}
    manifest = {
        "formatVersion": FORMAT_VERSION,
        **papers,
        **described(onnx),
        "files": {name: described(body) for name, body in files.items()},
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as artifact:
        for name, body in {MANIFEST: papers_json(manifest, indent=1), MODEL: onnx, **files}.items():
            entry = zipfile.ZipInfo(name, date_time=EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = PLAIN_FILE
            artifact.writestr(entry, body, compresslevel=9)
    return buffer.getvalue()


def described(body: bytes) -> dict[str, Any]:
    return {"sha256": hashlib.sha256(body).hexdigest(), "bytes": len(body)}


def read_artifact(body: bytes) -> Artifact:
    """Nothing is written to disk, and no more is inflated than a function would. Raises MillraceError `artifact-…`."""
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as artifact:
            entries = artifact.infolist()
            if len({entry.filename for entry in entries}) != len(entries):
                raise _refused("a file is in it twice", "artifact-duplicate")
            if sum(entry.file_size for entry in entries) > TOTAL_BYTES_MAX:
                raise _refused(f"its files have over {TOTAL_BYTES_MAX} bytes together", "artifact-too-big")
            files = {entry.filename: artifact.read(entry) for entry in entries if not entry.is_dir()}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise _refused(f"it is no zip: {error}", "artifact-damaged") from error
    for name in (MANIFEST, MODEL):
        if name not in files:
            raise _refused(f"{name} is not in it", "artifact-file-missing")
    manifest: dict[str, Any] = json.loads(files[MANIFEST])
    if manifest.get("formatVersion") not in (1, FORMAT_VERSION):
        raise _refused(f"its manifest is of format version {manifest.get('formatVersion')}", "manifest-invalid")
    promised = {MODEL: {"sha256": manifest["sha256"], "bytes": manifest["bytes"]}, **manifest.get("files", {})}
    for name, wanted in promised.items():
        if name not in files or described(files[name]) != wanted:
            raise _refused(f"{name} is not the file that the manifest describes", "artifact-hash")
    is_listed = GOLDEN in manifest.get("files", {})
    return Artifact(manifest, files[MODEL], json.loads(files[GOLDEN]) if is_listed else None)


def _refused(what: str, code: str) -> MillraceError:
    return MillraceError(f"The artifact cannot be used: {what}", code=code, next="Publish it anew from where it was trained.")
