# SPDX-License-Identifier: Apache-2.0
"""The program under test: its commands, and its server with clients for it.

LEAT_BIN names the program (default build/leat). A command and a server get an environment without
any AWS or LEAT setting of the person who runs the tests. A server that a test stops must end with 0, and no
sanitizer may have spoken.
"""
import os
import pathlib
import re
import signal
import subprocess
import threading
import time

import boto3
import botocore.config

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("LEAT_BIN", ROOT / "build/leat")).resolve()
AWS = ROOT / ".deps/venv/bin/aws"
REGION = "us-east-1"
# a sanitizer makes the program several times slower
SLOW = 4 if "asan" in str(PROGRAM) or "tsan" in str(PROGRAM) else 1
START_TIMEOUT_S = 15 * SLOW
STOP_TIMEOUT_S = 30 * SLOW
SANITIZER = re.compile(r"ERROR: \w+Sanitizer|WARNING: \w+Sanitizer|runtime error:")


def clean_environment(**more):
    """The environment without settings that would change what a test sees."""
    env = {key: value for key, value in os.environ.items()
           if not key.startswith(("AWS_", "LEAT_"))}
    env.update({"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
                "AWS_EC2_METADATA_DISABLED": "true", "NO_COLOR": "1"})
    env.update({key: str(value) for key, value in more.items()})
    return env


def check_sanitizers(text):
    found = SANITIZER.search(text)
    assert not found, f"a sanitizer spoke:\n{text[max(0, found.start() - 200):][:8000]}"


def run(*args, data=None, stdin=None, env=None, cwd=None, timeout_s=120, code=0):
    """Runs a leat command; `code` is the exit status that it must end with (None: any).

    Returns the completed process, with its output as text.
    """
    more = dict(env or {})
    if data is not None:
        more.setdefault("LEAT_DATA", data)
    done = subprocess.run([str(PROGRAM), *map(str, args)], input=stdin, text=True, cwd=cwd,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=clean_environment(**more), timeout=timeout_s * SLOW,
                          **({} if stdin is not None else {"stdin": subprocess.DEVNULL}))
    check_sanitizers(done.stderr)
    if code is not None:
        assert done.returncode == code, (
            f"leat {' '.join(map(str, args))}: exit {done.returncode}, not {code}\n"
            f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}")
    return done


class Server:
    """`leat serve` on a port that the kernel chose."""

    def __init__(self, data, *args, env=None):
        self.data = pathlib.Path(data)
        self.args = [str(arg) for arg in args]
        self.env = env or {}
        self.process = None
        self.port = 0
        self.stderr = ""
        self._reader = None

    def start(self):
        """Starts it and waits until it answers. Started again, it listens on the port it had."""
        self.stderr = ""
        self.process = subprocess.Popen(
            [str(PROGRAM), "serve", "--data", str(self.data), "--listen",
             f"127.0.0.1:{self.port}", *self.args],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            env=clean_environment(**self.env))
        listening = threading.Event()
        self._reader = threading.Thread(target=self._read, args=(self.process, listening),
                                        daemon=True)
        self._reader.start()
        deadline = time.monotonic() + START_TIMEOUT_S
        while not listening.wait(0.05):
            assert self.process.poll() is None, f"leat serve ended with {self.process.returncode}:\n{self.stderr}"
            assert time.monotonic() < deadline, f"leat serve does not answer:\n{self.stderr}"
        return self

    def _read(self, process, listening):
        for line in process.stderr:
            self.stderr += line
            match = re.search(r"listening on http://127\.0\.0\.1:(\d+)", line)
            if match:
                self.port = int(match[1])
                listening.set()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def stop(self):
        """SIGTERM; it must end by itself, with 0."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"leat serve does not stop at SIGTERM:\n{self.stderr[-8000:]}") from None
        self._end()
        check_sanitizers(self.stderr)
        assert code == 0, f"leat serve ended with {code}:\n{self.stderr[-8000:]}"

    def kill(self):
        """SIGKILL, as a crash would end it."""
        if self.process is None:
            return
        self.process.kill()
        self.process.wait()
        self._end()
        check_sanitizers(self.stderr)

    def _end(self):
        self._reader.join(5)
        self.process.stderr.close()
        self.process = None

    def picture(self):
        """What there is to see of a server that does not do what it should: its threads (state, where
        they wait), its sockets in the kernel's table (state, queues, timer), its files under tmp/."""
        seen = []
        for task in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
            state = (task / "stat").read_text().rsplit(")", 1)[1].split()
            seen.append(f"thread {task.name}: {state[0]} cpu {state[11]}+{state[12]} "
                        f"in {(task / 'wchan').read_text()}")
        port = f":{self.port:04X}"
        for line in pathlib.Path("/proc/net/tcp").read_text().splitlines():
            if port in line:
                seen.append(" ".join(line.split()[1:8]))
        for path in (self.data / "tmp").iterdir():
            seen.append(f"{path.name}: {path.stat().st_size} bytes")
        return "\n".join([*seen, self.stderr[-2000:]])

    def client(self, service, **config):
        """A boto3 client: path style, dummy credentials, no retries."""
        return client(service, self.url, **config)

    def aws(self, *args, stdin=None, code=0):
        """Runs awscli against the server; returns what it printed."""
        return aws(self.url, *args, stdin=stdin, code=code)


def client(service, url, **config):
    settings = {
        "region_name": REGION,
        "retries": {"total_max_attempts": 1},
        "s3": {"addressing_style": "path"},
        "connect_timeout": 5,
        "read_timeout": 60 * SLOW,
        "max_pool_connections": 32,
        **config,
    }
    return boto3.client(service, endpoint_url=url, aws_access_key_id="test",
                        aws_secret_access_key="test",
                        config=botocore.config.Config(**settings))


def aws(url, *args, stdin=None, code=0):
    env = clean_environment(AWS_ENDPOINT_URL=url, AWS_ACCESS_KEY_ID="test", AWS_REGION=REGION,
                            AWS_SECRET_ACCESS_KEY="test", AWS_DEFAULT_REGION=REGION,
                            AWS_MAX_ATTEMPTS="1", AWS_PAGER="")
    done = subprocess.run([str(AWS), *map(str, args)], input=stdin, text=True, capture_output=True,
                          env=env, timeout=120 * SLOW)
    if code is not None:
        assert done.returncode == code, (
            f"aws {' '.join(map(str, args))}: exit {done.returncode}, not {code}\n"
            f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}")
    return done
