# SPDX-License-Identifier: Apache-2.0
"""A web API that a test scripts line by line, down to the bytes of the wire.

A thread a connection, HTTP/1.1 with keep-alive, on loopback, with or without TLS. A test routes paths to
handlers; a handler gets a Request and returns an Answer, or a JSON value for an Answer of 200. Every
request is kept as it came, and counted by its path and query.

    api = Hostile().start()
    api.route("/items", lambda request: {"items": [1, 2]})
    ...
    assert api.counts() == {"/items": 1}
"""
import base64
import collections
import json
import re
import socket
import ssl
import struct
import subprocess
import threading
import time
import urllib.parse

REASONS = {200: "OK", 204: "No Content", 301: "Moved Permanently", 302: "Found", 307: "Temporary Redirect",
           308: "Permanent Redirect", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden",
           404: "Not Found", 429: "Too Many Requests", 500: "Internal Server Error"}


class Request:
    """As it came: `target` is the path with its query, `headers` in their order and spelling."""

    def __init__(self, method, target, headers, body, nth, connection):
        self.method, self.target, self.headers, self.body = method, target, headers, body
        self.nth = nth  # how often this very target was asked for before
        self.connection = connection
        self.at = time.monotonic()
        self.path, _, text = target.partition("?")
        self.params = urllib.parse.parse_qsl(text, keep_blank_values=True)

    def get(self, name, default=None):
        """The value of a query parameter."""
        return next((value for key, value in self.params if key == name), default)

    def number(self, name, default):
        return int(self.get(name, default))

    def all_of(self, name):
        """The values of a header, in any spelling of its name."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def header(self, name):
        found = self.all_of(name)
        return found[0] if found else None

    @property
    def form(self):
        return dict(urllib.parse.parse_qsl(self.body.decode(), keep_blank_values=True))

    def __repr__(self):
        return f"{self.method} {self.target}"


class Answer:
    """What goes over the wire: a status and a body, and how it goes wrong.

    length      the Content-Length that is told, where it is not the true one
    chunked     sent in chunks instead
    cut         the connection is closed after so many bytes of the body
    drip        (bytes, seconds): the body comes in such pieces, with such waits between
    wait        seconds before anything is sent
    close       the connection is closed afterwards, and the answer says so
    reset       the connection is reset, nothing is sent
    silent      nothing is sent, the connection stays open until the server stops
    """

    def __init__(self, body=None, status=200, headers=(), kind="application/json", length=None, chunked=False,
                 cut=None, drip=None, wait=0.0, close=False, reset=False, silent=False):
        self.body = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        self.status = status
        self.headers = list(headers.items() if isinstance(headers, dict) else headers)
        self.kind = kind
        self.length, self.chunked, self.cut, self.drip, self.wait = length, chunked, cut, drip, wait
        self.close, self.reset, self.silent = close or cut is not None, reset, silent

    def head(self):
        lines = [f"HTTP/1.1 {self.status} {REASONS.get(self.status, 'Status')}"]
        if self.kind and self.status != 204:
            lines.append(f"Content-Type: {self.kind}")
        if self.chunked:
            lines.append("Transfer-Encoding: chunked")
        elif self.status != 204:
            lines.append(f"Content-Length: {len(self.body) if self.length is None else self.length}")
        if self.close:
            lines.append("Connection: close")
        lines += [f"{name}: {value}" for name, value in self.headers]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def payload(self):
        if not self.chunked:
            return self.body
        half = len(self.body) // 2
        parts = [part for part in (self.body[:half], self.body[half:]) if part]
        return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def answer_of(value):
    return value if isinstance(value, Answer) else Answer(value)


class Hostile:
    """The server. `certificate`: a folder where a key and a certificate of its own are made, for TLS."""

    def __init__(self, certificate=None):
        self.lock = threading.Lock()
        self.routes = []
        self.requests = []
        self.faults = []
        self.n_by_target = collections.Counter()
        self.n_connections = 0
        self.n_open = self.max_open = 0  # requests that have no answer yet
        self.stopping = threading.Event()
        self.sockets = set()
        self.tls = None
        self.ca_file = None
        if certificate is not None:
            self.tls, self.ca_file = own_certificate(certificate)
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(256)
        self.port = self.listener.getsockname()[1]

    @property
    def url(self):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def start(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def stop(self):
        self.stopping.set()
        self.listener.close()
        with self.lock:
            left = list(self.sockets)
        for sock in left:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    # ------------------------------------------------------------ what a test says

    def route(self, pattern, handler):
        """A path, or a regular expression of whole paths; a later route stands before an earlier one."""
        self.routes.insert(0, (re.compile(pattern), handler))

    def fault(self, chooser):
        """`chooser(request)` gives an Answer instead of the route's, or None; asked before any route."""
        self.faults.append(chooser)

    # ------------------------------------------------------------ what a test asks

    def counts(self, prefix=""):
        """Path and query -> how often it was asked for."""
        with self.lock:
            return {target: n for target, n in self.n_by_target.items() if target.startswith(prefix)}

    def asked(self, prefix=""):
        """The requests so far, in their order."""
        with self.lock:
            return [request for request in self.requests if request.target.startswith(prefix)]

    def forget(self):
        with self.lock:
            self.requests.clear()
            self.n_by_target.clear()

    # ------------------------------------------------------------ the wire

    def _accept(self):
        while not self.stopping.is_set():
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._connection, args=(sock,), daemon=True).start()

    def _connection(self, sock):
        with self.lock:
            self.n_connections += 1
            number = self.n_connections
        try:
            if self.tls:
                sock = self.tls.wrap_socket(sock, server_side=True)
            with self.lock:
                self.sockets.add(sock)
            stream = sock.makefile("rb")
            while not self.stopping.is_set():
                request = self._read(stream, number)
                if request is None or not self._serve(sock, request):
                    break
        except (OSError, ValueError):
            pass
        finally:
            with self.lock:
                self.sockets.discard(sock)
            sock.close()

    def _read(self, stream, number):
        first = stream.readline(1 << 20)
        if not first.strip():
            return None
        method, target, _ = first.decode("latin-1").split(" ", 2)
        headers, length = [], 0
        while (line := stream.readline(1 << 20).strip()):
            name, _, value = line.decode("latin-1").partition(":")
            headers.append((name, value.strip()))
            if name.lower() == "content-length":
                length = int(value)
        body = stream.read(length) if length else b""
        with self.lock:
            request = Request(method, target, headers, body, self.n_by_target[target], number)
            self.n_by_target[target] += 1
            self.requests.append(request)
        return request

    def _serve(self, sock, request):
        with self.lock:
            self.n_open += 1
            self.max_open = max(self.max_open, self.n_open)
        try:
            answer = self._answer(request)
        finally:
            with self.lock:
                self.n_open -= 1
        return self._send(sock, answer)

    def _answer(self, request):
        for chooser in self.faults:
            chosen = chooser(request)
            if chosen is not None:
                return answer_of(chosen)
        for pattern, handler in self.routes:
            if pattern.fullmatch(request.path):
                return answer_of(handler(request) if callable(handler) else handler)
        return Answer({"error": {"status": 404, "message": f"no such path: {request.path}"}}, 404)

    def _send(self, sock, answer):
        """False when the connection is over."""
        if answer.wait:
            self.stopping.wait(answer.wait)
        if answer.silent:
            self.stopping.wait()
            return False
        if answer.reset:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        payload = answer.payload()
        if answer.cut is not None:
            payload = payload[:answer.cut]
        if answer.drip:
            self._drip(sock, answer, payload)
        else:
            sock.sendall(answer.head() + payload)
        if answer.close:
            sock.shutdown(socket.SHUT_WR)
        return not answer.close

    def _drip(self, sock, answer, payload):
        size, seconds = answer.drip
        sock.sendall(answer.head())
        for at in range(0, len(payload), size):
            sock.sendall(payload[at:at + size])
            if self.stopping.wait(seconds):
                return


def own_certificate(folder):
    """A certificate that signs itself, for 127.0.0.1: (context, the file to trust it by)."""
    key, cert = folder / "key.pem", folder / "cert.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "2", "-subj", "/CN=hostile", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
                    str(key), "-out", str(cert)], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context, cert


class Tokens:
    """A token endpoint at /token of an API, and a guard for its paths.

    expires_in   as told; with `honest` the guard refuses a token that is older
    rotate       a refresh token is good for one use; the answer brings the next one
    """

    def __init__(self, api, client_id="the-client", client_secret="c1ient-s3cret", expires_in=3600, honest=False,
                 refresh_token=None, rotate=False, wait=0.0):
        self.api, self.client_id, self.client_secret = api, client_id, client_secret
        self.expires_in, self.honest, self.wait = expires_in, honest, wait
        self.refresh_token, self.rotate = refresh_token, rotate
        self.lock = threading.Lock()
        self.n = 0  # tokens given
        self.n_refused = 0
        self.valid = {}  # token -> when it ends
        api.route("/token", self.answer)

    @property
    def url(self):
        return self.api.url + "/token"

    def credentials(self, request):
        """(client id, secret, where they stood)"""
        basic = request.header("Authorization")
        if basic:
            client, _, secret = base64.b64decode(basic.removeprefix("Basic ")).decode().partition(":")
            return urllib.parse.unquote(client), urllib.parse.unquote(secret), "basic"
        return request.form.get("client_id"), request.form.get("client_secret"), "form"

    def answer(self, request):
        client, secret, _ = self.credentials(request)
        form = request.form
        wanted = "refresh_token" if self.refresh_token else "client_credentials"
        with self.lock:
            if (client, secret) != (self.client_id, self.client_secret):
                self.n_refused += 1
                return Answer({"error": "invalid_client", "error_description": "Invalid client secret"}, 400)
            if form.get("grant_type") != wanted or (
                    self.refresh_token and form.get("refresh_token") != self.refresh_token):
                self.n_refused += 1
                return Answer({"error": "invalid_grant", "error_description": "Invalid refresh token"}, 400)
            self.n += 1
            token = f"acc3ss-{self.n}-t0ken"
            self.valid[token] = time.monotonic() + self.expires_in
            body = {"access_token": token, "token_type": "Bearer", "expires_in": self.expires_in}
            if self.rotate:
                self.refresh_token = body["refresh_token"] = f"r3fresh-{self.n}-t0ken"
        return Answer(body, wait=self.wait)

    def revoke(self):
        with self.lock:
            self.valid.clear()

    def guard(self, handler):
        """The handler, for requests with a token that is good."""
        def guarded(request):
            with self.lock:
                ends = self.valid.get((request.header("Authorization") or "").removeprefix("Bearer "))
            if ends is None:
                return Answer({"error": {"status": 401, "message": "Invalid access token"}}, 401)
            if self.honest and time.monotonic() > ends:
                return Answer({"error": {"status": 401, "message": "The access token expired"}}, 401)
            return handler(request)
        return guarded
