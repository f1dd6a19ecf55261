# SPDX-License-Identifier: Apache-2.0
"""kinesalite from npm, an in-memory Kinesis: the service that is not leat."""
import pathlib
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / ".deps/npm/node_modules/.bin/kinesalite"
START_TIMEOUT_S = 30


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Kinesalite:
    def __init__(self):
        self.process = None
        self.port = 0

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        self.port = free_port()
        self.process = subprocess.Popen(
            [str(PROGRAM), "--port", str(self.port), "--createStreamMs", "10",
             "--deleteStreamMs", "10", "--shardLimit", "100"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            assert self.process.poll() is None, "kinesalite ended while it started"
            assert time.monotonic() < deadline, "kinesalite does not answer"
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                time.sleep(0.05)

    def stop(self):
        if self.process is None:
            return
        self.process.terminate()
        self.process.wait(10)
        self.process = None
