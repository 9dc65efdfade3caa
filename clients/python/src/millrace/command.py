"""The millrace command, run as a person would: its JSON back, or its error with code and next step."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from millrace.errors import MillraceError


def find_command(pipeline_dir: Path, env: Mapping[str, str] = os.environ) -> list[str]:
    """MILLRACE_COMMAND, else the pipeline's own installed command, else npx, which runs nothing that is not installed."""
    given = env.get("MILLRACE_COMMAND", "")
    if given != "":
        return shlex.split(given)
    installed = pipeline_dir / "node_modules" / ".bin" / "millrace"
    return [str(installed)] if installed.exists() else ["npx", "--no", "millrace"]


def run_millrace(words: Sequence[str], pipeline_dir: Path) -> dict[str, Any]:
    """Runs `millrace … --json` in the pipeline's folder."""
    if not pipeline_dir.is_dir():
        raise MillraceError(
            f"There is no folder {pipeline_dir}",
            code="pipeline-missing",
            next="Give pipeline_dir: the folder of the repo that has src/pipeline.",
        )
    command = [*find_command(pipeline_dir), *words, "--json"]
    try:
        done = subprocess.run(command, cwd=pipeline_dir, capture_output=True, text=True, check=False)
    except OSError as error:
        raise MillraceError(
            f"{command[0]} cannot be started: {error}",
            code="command-missing",
            next="Run npm install in the pipeline's folder, or set MILLRACE_COMMAND.",
        ) from error
    if done.returncode != 0:
        raise _error_of(done)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def _error_of(done: subprocess.CompletedProcess[str]) -> MillraceError:
    # Warnings of Node may stand around it.
    for line in reversed(done.stderr.splitlines()):
        if not line.startswith("{"):
            continue
        try:
            error = json.loads(line)["error"]
        except (ValueError, KeyError):
            continue
        cause = "" if error.get("cause") is None else f" (cause: {error['cause']})"
        return MillraceError(error["message"] + cause, code=error["code"], next=error.get("next"))
    said = done.stderr.strip()[-1000:] or "nothing"
    return MillraceError(
        f"millrace ended with {done.returncode} and said: {said}",
        code="command-failed",
        next="Run `npx millrace --help` in the pipeline's folder.",
    )
