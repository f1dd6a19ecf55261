# SPDX-License-Identifier: Apache-2.0
"""What leat sends is signed as botocore signs it: a server works every signature out again."""
import http.server
import pathlib
import subprocess
import threading

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest

from support.leat import PROGRAM, check_sanitizers, clean_environment

TOOLS = PROGRAM.parent / "tests/tools"
KEY, SECRET, TOKEN = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "the/token+=="


def expected_signature(handler, body):
    """The signature by botocore of what came, over the headers that the sender says it signed."""
    fields = dict(part.strip().split("=", 1)
                  for part in handler.headers["Authorization"].split(" ", 1)[1].split(","))
    _, _, region, service, _ = fields["Credential"].split("/")
    url = f"http://{handler.headers['Host']}{handler.path}"
    names = fields["SignedHeaders"].split(";")
    request = botocore.awsrequest.AWSRequest(
        method=handler.command, url=url, data=body,
        headers={name: handler.headers[name] for name in names})
    request.context["timestamp"] = handler.headers["X-Amz-Date"]
    kind = botocore.auth.S3SigV4Auth if service == "s3" else botocore.auth.SigV4Auth
    credentials = botocore.credentials.Credentials(KEY, SECRET, TOKEN)
    auth = kind(credentials, service, region)
    text = auth.string_to_sign(request, auth.canonical_request(request))
    return fields["Signature"], auth.signature(text, request), names


class Verifier(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        got, expected, names = expected_signature(self, body)
        self.server.seen.append((self.command, self.path, got == expected, names, dict(self.headers)))
        content = b""
        if self.command == "GET":
            content = b"<ListBucketResult></ListBucketResult>"
        elif self.headers.get("X-Amz-Target", "").endswith("ListStreams"):
            content = b'{"StreamNames": [], "HasMoreStreams": false}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = answer

    def log_message(self, *_):
        pass


@pytest.fixture
def verifier():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Verifier)
    server.seen = []
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def run(tool, *args, data=b""):
    env = clean_environment(AWS_ACCESS_KEY_ID=KEY, AWS_SECRET_ACCESS_KEY=SECRET,
                            AWS_SESSION_TOKEN=TOKEN, AWS_REGION="eu-west-3")
    done = subprocess.run([str(pathlib.Path(TOOLS, tool)), *args], input=data, capture_output=True,
                          timeout=60, env=env)
    check_sanitizers(done.stderr.decode())
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_calls_of_the_json_protocol_are_signed_as_botocore_does(verifier):
    run("streamctl", verifier.url, "list")
    run("streamctl", verifier.url, "remove", "a")
    assert [row[2] for row in verifier.seen] == [True, True]
    assert verifier.seen[0][3] == ["content-type", "host", "x-amz-date", "x-amz-security-token",
                                   "x-amz-target"]


@pytest.mark.parametrize("key", [
    "plain", "a/b/c.gz", "with space", "é☃", "a+b", "a%20b", "a//b", "./a", "a/../b", "~t-._", "?q=1&r",
    "quote'\"<>&", "#hash", "a=b", "@:,;!$*()[]", "trailing/",
])
def test_objects_are_signed_as_botocore_does_whatever_their_key(verifier, key):
    run("objectctl", verifier.url, "put", "bucket", key, "text/plain", "gzip", data=b"\0data\xff")
    run("objectctl", f"{verifier.url}/base/", "put", "bucket", key)
    (method, path, right, names, headers), other = verifier.seen
    assert (method, right, other[2]) == ("PUT", True, True)
    assert "x-amz-content-sha256" in names and "content-type" in names
    assert other[1] == "/base" + path
    assert headers["Content-Encoding"] == "gzip"


def test_listings_are_signed_with_their_parameters(verifier):
    run("objectctl", verifier.url, "stat", "bucket")
    run("objectctl", verifier.url, "remove", "bucket", "--with-objects")
    assert [row[:3] for row in verifier.seen] == [
        ("GET", "/bucket?list-type=2&max-keys=1000", True),
        ("GET", "/bucket?list-type=2&max-keys=1000", True),
        ("DELETE", "/bucket", True)]


def test_no_secret_is_sent(verifier):
    run("streamctl", verifier.url, "list")
    assert SECRET not in str(verifier.seen)
