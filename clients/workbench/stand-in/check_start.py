"""In the image, as its user: start.sh starts both servers, the health check sees them, the password lets in and no other does, R sessions
know what the container was told and have the keys of its role, and a signal ends all. RStudio is the stand-in beside this file."""

import http.server
import json
import os
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

FOLDER = Path("/opt/millrace")
SECONDS_MAX = 120


def free_port() -> str:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return str(found.getsockname()[1])


class Role(http.server.BaseHTTPRequestHandler):
    """As a container's role is asked for keys."""

    KEYS = {"AccessKeyId": "of-the-role", "SecretAccessKey": "a/secret+=", "Token": "a==token", "Expiration": "2099-01-01T00:00:00Z"}

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(self.KEYS).encode())

    def log_message(self, *_: object) -> None:
        pass


role = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Role)
threading.Thread(target=role.serve_forever, daemon=True).start()
jupyter, rstudio = free_port(), free_port()
env = os.environ | {
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://127.0.0.1:{role.server_port}/",
    "MILLRACE_API": "https://an-api.example",
    "WORKBENCH_PASSWORD": "open, sesame",
    "WORKBENCH_JUPYTER_PORT": jupyter,
    "WORKBENCH_RSTUDIO_PORT": rstudio,
}


def status(address: str, **headers: str) -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def let_in(user: str, password: str) -> int:
    query = urllib.parse.urlencode({"user": user, "password": password})
    return status(f"http://127.0.0.1:{rstudio}/let-in?{query}")


def is_healthy() -> bool:
    return subprocess.run([FOLDER / "is-healthy.sh"], env=env, stderr=subprocess.DEVNULL).returncode == 0


assert not is_healthy()
started = subprocess.Popen([FOLDER / "start.sh"], env=env, stderr=subprocess.DEVNULL)
try:
    start = time.monotonic()
    while not is_healthy():
        assert started.poll() is None, f"start.sh has ended with {started.returncode}"
        assert time.monotonic() - start < SECONDS_MAX, "it does not become healthy"
        time.sleep(0.5)
    seconds = time.monotonic() - start

    contents = f"http://127.0.0.1:{jupyter}/api/contents/examples"
    assert status(contents) == 403, "Jupyter lets in whoever has no password"
    assert status(contents, Authorization="token open, sesame") == 200, "Jupyter lets nobody in"
    user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    answers = [let_in(user, "open, sesame"), let_in(user, "open"), let_in(user, ""), let_in("root", "open, sesame")]
    assert answers == [200, 403, 403, 403], f"RStudio would let in: {answers}"
    keys = Role.KEYS
    known = {"MILLRACE_API": env["MILLRACE_API"], "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"], "AWS_SESSION_TOKEN": keys["Token"]}
    for name, value in known.items():
        with urllib.request.urlopen(f"http://127.0.0.1:{rstudio}/session?variable={name}") as session:
            assert session.read().decode() == value, f"R sessions have another {name}"
finally:
    started.send_signal(signal.SIGTERM)
    code = started.wait(timeout=60)
assert code == 143, f"start.sh ended with {code}"
assert not is_healthy()
print(f"Started as {user}: healthy after {seconds:.0f} s; the password lets in, no other does; R sessions have their environment")
