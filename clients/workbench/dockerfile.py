"""What the Dockerfile says, read as far as it goes: `dockerfile.py look` holds it and the lists of packages against our rules,
`dockerfile.py run FOLDER COMMAND…` carries it out in a Debian that is there, step by step, without Docker, and then runs the command beside
it. RStudio's step is left out: its package comes from an address of its own."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
CONTEXT = HERE.parent
LEFT_OUT = "install-rstudio.sh"
# As Dockerfile.dockerignore has it.
IGNORED = (".venv", ".mypy_cache", "__pycache__", "*.o", "*.so")
KNOWN = ("ARG", "FROM", "SHELL", "COPY", "RUN", "ENV", "USER", "WORKDIR", "EXPOSE", "HEALTHCHECK", "CMD")

Step = tuple[str, str]


def read(path: Path) -> list[Step]:
    """Instruction and what follows it; a backslash at the end of a line goes on in the next."""
    lines = path.read_text().replace("\\\n", " ").splitlines()
    steps = [line.split(None, 1) for line in lines if line.strip() and not line.startswith("#")]
    return [(words[0], words[1].strip()) for words in steps]


def look(steps: list[Step]) -> list[str]:
    wrong = [f"{name} is none of {', '.join(KNOWN)}" for name, _ in steps if name not in KNOWN]
    by_name = {name: rest for name, rest in steps}
    base = next(rest for name, rest in steps if name == "ARG")
    if re.search(r"(:[\w.-]*\d{8}[\w.-]*|@sha256:[0-9a-f]{64})$", base) is None:
        wrong.append(f"The base image {base} has neither a date nor a digest")
    if by_name.get("USER", "root") in ("root", "0"):
        wrong.append("It runs as root")
    users = [index for index, (name, _) in enumerate(steps) if name == "USER"]
    if any(name in ("RUN", "COPY") for name, _ in steps[users[-1] if users else 0 :]):
        wrong.append("Something is built after USER")
    for name in ("CMD", "HEALTHCHECK"):
        if re.search(r'\["/[^"]+"(, "[^"]*")*\]$', by_name.get(name, "")) is None:
            wrong.append(f"{name} is not a list of words: a shell between would keep signals to itself")
    for name, rest in steps:
        if name == "RUN" and re.search(r"(^|[;&|(] *)(apt-get|apt|pip|curl|wget|sudo) ", rest):
            wrong.append(f"A script installs, and cleans up after itself: RUN {rest}")
        if name == "COPY":
            wrong += [f"{source} is not there" for source in rest.split()[:-1] if not (CONTEXT / source).exists()]
    return wrong + look_at_pins()


def look_at_pins() -> list[str]:
    pins = {path: lines_of(path) for path in (HERE / "requirements.txt", CONTEXT / "python" / "requirements.txt", HERE / "debian-packages.txt")}
    wrong = [f"{line} of {path} is not exact" for path, lines in pins.items() for line in lines if re.fullmatch(r"[\w.+-]+={1,2}[\w.+~:-]+", line) is None]
    ours, clients, _ = ({line.split("==")[0]: line for line in lines} for lines in pins.values())
    return wrong + [f"{ours[name]} here, {clients[name]} in clients/python" for name in ours if ours[name] != clients.get(name, ours[name])]


def lines_of(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if line and not line.startswith("#")]


def run(steps: list[Step], image: Path, command: list[str]) -> None:
    """What this machine knows of the network, names and certificates, is lent to the image and taken back."""
    environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}
    environment |= {name: value for name, value in os.environ.items() if name.endswith(("_CERT", "_CERT_FILE", "_CA_BUNDLE", "_proxy", "_PROXY"))}
    for source in ("/etc/resolv.conf", "/etc/ssl/certs/ca-certificates.crt"):
        shutil.copy(source, image / source[1:])
    with mounted(image):
        for name, rest in steps:
            start = time.monotonic()
            if name == "RUN" and LEFT_OUT in rest:
                print(f"Left out: {rest}")
            elif name == "RUN":
                script = ["/usr/sbin/chroot", str(image), "/bin/bash", "-euo", "pipefail", "-c", rest]
                subprocess.run(script, env=environment, check=True, stdin=subprocess.DEVNULL)
                print(f"{rest}: {time.monotonic() - start:.0f} s", flush=True)
            elif name == "COPY":
                copy(rest.split(), image)
        subprocess.run(command, check=True)


def copy(words: list[str], image: Path) -> None:
    *sources, target = words
    into = image / target.lstrip("/")
    for source in sources:
        path = CONTEXT / source
        if path.is_dir():
            shutil.copytree(path, into, dirs_exist_ok=True, ignore=shutil.ignore_patterns(*IGNORED))
        else:
            into.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, into)


@contextlib.contextmanager
def mounted(image: Path) -> Iterator[None]:
    """/proc and /dev of this machine in the image, for as long as it lasts."""
    subprocess.run(["mount", "-t", "proc", "proc", image / "proc"], check=True)
    try:
        subprocess.run(["mount", "--rbind", "--make-rslave", "/dev", image / "dev"], check=True)
        yield
    finally:
        for folder in ("dev", "proc"):
            subprocess.run(["umount", "--recursive", "--lazy", image / folder], check=False)


if __name__ == "__main__":
    found = read(HERE / "Dockerfile")
    if sys.argv[1] == "run":
        run(found, Path(sys.argv[2]).resolve(), sys.argv[3:])
    else:
        problems = look(found)
        print("\n".join(problems) if problems else f"The Dockerfile has {len(found)} instructions, all as they should be")
        sys.exit(1 if problems else 0)
