"""Reads one user with Python's standard library in every coding, revalidates, and pushes an event: URL USER FEATURES EVENT."""

import gzip
import json
import sys
import urllib.error
import urllib.request
import zlib

url, user, features, event = sys.argv[1:]


def call(path, headers=None, data=None):
    request = urllib.request.Request(url + path, headers=headers or {}, data=data)
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, response.headers, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


path = f"/users/{user}/features"
decoders = {"identity": bytes, "deflate": zlib.decompress, "gzip": gzip.decompress}
for coding, decode in decoders.items():
    status, headers, body = call(path, {"Accept-Encoding": coding})
    assert (status, headers.get("Content-Encoding", "identity")) == (200, coding), (status, coding)
    assert decode(body).decode() == features, coding
    status, _, body = call(path, {"Accept-Encoding": coding, "If-None-Match": headers["ETag"]})
    assert (status, body) == (304, b""), (status, body)

status, headers, body = call("/users/nobody/features")
assert (status, headers["Content-Type"]) == (404, "application/problem+json"), status
assert json.loads(body)["code"] == "user-not-found", body

status, _, body = call("/events", data=event.encode())
assert status == 202 and json.loads(body)["accepted"] == 1, (status, body)
print("Python: identity, deflate, gzip, 304, 404 and POST agree")
