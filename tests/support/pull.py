# SPDX-License-Identifier: Apache-2.0
"""Runs `leat pull` over a file of the test's own, and reads what came of it."""
import collections
import gzip
import json
import pathlib
import signal
import subprocess
import time

import yaml
import zstandard

from support import leat


class Pull:
    """A file with one API and one pipeline, and a data folder.

    resources   name -> what the file says of it
    source      what else it says of the API (auth, rate, …); retries are quick unless it says otherwise
    pipeline    what it says of the pipeline beside its source; by default all goes to s3://lake/
    """

    def __init__(self, folder, base_url, resources, pipeline=None, env=None, **source):
        self.folder = pathlib.Path(folder)
        self.data = self.folder / "leat-data"
        self.path = self.folder / "api.yaml"
        self.env = dict(env or {})
        self.says = {
            "buckets": ["lake"],
            "sources": {"api": {"base_url": base_url, "resources": resources, **source}},
            "pipelines": {"p": {"source": {"rest": "api"}, "route": [{"to": "s3://lake/"}], **(pipeline or {})}},
        }
        self.write()

    @property
    def source(self):
        return self.says["sources"]["api"]

    def write(self):
        self.path.write_text(yaml.safe_dump(self.says, sort_keys=False))
        return self

    def run(self, *args, code=0, **more):
        env = {**self.env, **more.pop("env", {})}
        return leat.run("pull", self.path, *args, data=self.data, env=env, code=code, **more)

    def records(self, *args, **more):
        """The records of a pull to standard output."""
        return lines(self.run("--to", "-", "-q", *args, **more).stdout)

    def start(self, *args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more):
        env = leat.clean_environment(**{"LEAT_DATA": self.data, **self.env, **more.pop("env", {})})
        return subprocess.Popen([str(leat.PROGRAM), "pull", str(self.path), *map(str, args)], stdin=subprocess.DEVNULL,
                                stdout=stdout, stderr=stderr, text=True, env=env, **more)

    def objects(self, bucket="lake"):
        return objects(self.data / "buckets" / bucket)

    def lake(self, bucket="lake"):
        """The records of all objects, those of one resource in their order."""
        return [record for _, records in sorted(self.objects(bucket).items()) for record in records]


def lines(text):
    """JSON lines; each must be whole."""
    assert not text or text.endswith("\n"), f"the last line is not whole: {text[-200:]!r}"
    return [json.loads(line) for line in text.splitlines()]


def unpack(path):
    """The bytes of an object, whatever packs it."""
    raw = pathlib.Path(path).read_bytes()
    if raw[:2] == b"\x1f\x8b":
        return gzip.decompress(raw)
    if raw[:4] == b"\x28\xb5\x2f\xfd":
        return zstandard.ZstdDecompressor().decompressobj().decompress(raw)
    return raw


def objects(folder):
    """Key -> its records, of every object of JSON lines in the folder."""
    folder = pathlib.Path(folder)
    found = {}
    for path in folder.rglob("*"):
        if path.is_file() and ".jsonl" in path.name:
            found[str(path.relative_to(folder))] = lines(unpack(path).decode())
    return found


def ids(records):
    return [record["id"] for record in records]


def twice(values):
    return {value: n for value, n in collections.Counter(values).items() if n > 1}


def wait_for(condition, what, timeout_s=30):
    deadline = time.monotonic() + timeout_s * leat.SLOW
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.005)


def kill(process):
    process.send_signal(signal.SIGKILL)
    process.communicate()


def quick(**more):
    """Retries without long waits in a test that wants the error."""
    return {"retry": {"attempts": 3}, **more}


def where_secrets_lie(folder, *secrets):
    """Files under the folder that hold one of the secrets."""
    found = []
    for path in pathlib.Path(folder).rglob("*"):
        if path.is_file() and any(secret.encode() in path.read_bytes() for secret in secrets):
            found.append(str(path))
    return found
