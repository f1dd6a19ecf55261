# SPDX-License-Identifier: Apache-2.0
"""A stream service that throttles, fails, answers slowly and goes away: no record of a key is lost or reordered, and what was
taken is not sent again."""
import collections
import http.client
import http.server
import json
import random
import signal
import subprocess
import threading
import time

import pytest

from support import leat

SYSTEM = """
streams: {sessions: {shards: 2}, us: {shards: 2}, intl: {shards: 1}, rejected: {shards: 1}}
pipelines:
  p:
    source: {stream: sessions}
    set: {m: '.n + 1'}
    route: [{when: '.country == "USA"', to: us}, {to: intl}]
    dead_letters: {stream: rejected}
"""
N_RECORDS = 3000
N_KEYS = 300


class Faults(http.server.ThreadingHTTPServer):
    """Stands before the real engine and spoils what passes through, by its seed."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port, spoil):
        super().__init__(("127.0.0.1", 0), Handler)
        self.backend, self.spoil, self.rng, self.lock = port, spoil, random.Random(3), threading.Lock()
        self.n_taken = collections.Counter()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def chance(self, p):
        with self.lock:
            return self.rng.random() < p


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, body, headers=()):
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def forward(self, body):
        conn = http.client.HTTPConnection("127.0.0.1", self.server.backend, timeout=60)
        conn.request("POST", "/", body, {name: self.headers[name] for name in ("X-Amz-Target", "Content-Type")})
        got = conn.getresponse()
        result = got.status, got.read()
        conn.close()
        return result

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        operation = self.headers["X-Amz-Target"].split(".")[1]
        if operation == "PutRecords":
            self.put_records(json.loads(body))
            return
        if operation == "GetRecords" and self.server.spoil and self.server.chance(0.1):
            self.answer(400, b'{"__type":"ProvisionedThroughputExceededException","message":"Rate exceeded"}')
            return
        self.answer(*self.forward(body))

    def put_records(self, request):
        chance = self.server.chance
        if self.server.spoil and chance(0.1):
            self.answer(500, b'{"__type":"InternalFailure","message":"try again"}')
            return
        if self.server.spoil and chance(0.1):
            self.answer(400, b'{"__type":"ProvisionedThroughputExceededException","message":"Rate exceeded"}')
            return
        if self.server.spoil and chance(0.05):
            time.sleep(0.3)
        records = request["Records"]
        fails = [self.server.spoil and chance(0.2) for _ in records]
        taken = [record for record, fail in zip(records, fails) if not fail]
        results = []
        if taken:
            status, answer = self.forward(json.dumps({**request, "Records": taken}).encode())
            if status != 200:
                self.answer(status, answer)
                return
            results = json.loads(answer)["Records"]
            with self.server.lock:
                self.server.n_taken[request["StreamName"]] += len(taken)
        results = iter(results)
        merged = [{"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "slow down"} if fail
                  else next(results) for fail in fails]
        self.answer(200, json.dumps({"FailedRecordCount": sum(fails), "Records": merged}).encode())


def lines():
    for n in range(N_RECORDS):
        yield json.dumps({"session_id": f"k{n % N_KEYS}", "n": n, "country": "USA" if n % N_KEYS % 2 else "Kenya"})


def read_all(kinesis, stream):
    """Per partition key the values of n, in the order of the stream."""
    by_key = collections.defaultdict(list)
    for shard in kinesis.list_shards(StreamName=stream)["Shards"]:
        at = kinesis.get_shard_iterator(StreamName=stream, ShardId=shard["ShardId"],
                                        ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
        while True:
            got = kinesis.get_records(ShardIterator=at, Limit=10000)
            for record in got["Records"]:
                by_key[record["PartitionKey"]].append(json.loads(record["Data"])["n"])
            at = got["NextShardIterator"]
            if not got["Records"] and not got["MillisBehindLatest"]:
                break
    return by_key


def check(kinesis, streams):
    found = {}
    for stream in streams:
        for key, numbers in read_all(kinesis, stream).items():
            assert numbers == sorted(numbers), f"records of {key} were reordered in {stream}"
            assert len(numbers) == len(set(numbers)), f"records of {key} came twice to {stream}"
            found[key] = numbers
    assert sum(map(len, found.values())) == N_RECORDS


@pytest.fixture
def env():
    return {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y", "AWS_REGION": "us-east-1"}


def test_throttles_and_failures_lose_and_reorder_nothing(tmp_path, server, env):
    system = tmp_path / "system.yaml"
    system.write_text(SYSTEM)
    faults = Faults(server.port, spoil=True)
    env["AWS_ENDPOINT_URL_KINESIS"] = faults.url
    own = tmp_path / "own"
    leat.run("up", system, data=own, env=env)
    put = leat.run("put", "sessions", "-", "-o", "json", data=own, env=env, stdin="\n".join(lines()), timeout_s=300)
    assert json.loads(put.stdout)["records"] == N_RECORDS
    assert json.loads(put.stdout)["sent_again"] > 0
    kinesis = server.client("kinesis")
    check(kinesis, ["sessions"])
    run = leat.run("run", system, "--drain", "-o", "json", data=own, env=env, timeout_s=300)
    pipeline = json.loads(run.stdout)["pipelines"][0]
    assert pipeline["read"] == N_RECORDS and pipeline["dead"] == 0
    assert sum(route["sent_again"] for route in pipeline["routes"]) > 0
    check(kinesis, ["us", "intl"])
    assert faults.n_taken == {"sessions": N_RECORDS, "us": faults.n_taken["us"], "intl": N_RECORDS - faults.n_taken["us"]}
    faults.shutdown()


def test_an_engine_that_restarts_is_waited_for(tmp_path, data, env):
    system = tmp_path / "system.yaml"
    system.write_text(SYSTEM)
    server = leat.Server(data).start()
    leat.run("up", system, data=data)
    runner = subprocess.Popen([str(leat.PROGRAM), "run", str(system)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, env=leat.clean_environment(LEAT_DATA=data))
    deadline = time.monotonic() + 30 * leat.SLOW
    while not (data / "claims/pipeline p").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    given = list(lines())
    for part in range(3):
        chunk = given[part * 1000:(part + 1) * 1000]
        leat.run("put", "sessions", "-", data=data, stdin="\n".join(chunk))
        server.stop()
        time.sleep(0.3)
        server.start()
    deadline = time.monotonic() + 60 * leat.SLOW
    while time.monotonic() < deadline:
        kinesis = server.client("kinesis")
        n = sum(len(v) for s in ("us", "intl") for v in read_all(kinesis, s).values())
        if n >= N_RECORDS:
            break
        time.sleep(0.5)
    runner.send_signal(signal.SIGTERM)
    _, err = runner.communicate(timeout=60)
    leat.check_sanitizers(err)
    assert runner.returncode == 0, err
    check(server.client("kinesis"), ["us", "intl"])
    server.stop()


def test_what_was_read_before_an_interrupt_is_acknowledged(data):
    server = leat.Server(data).start()
    server.client("kinesis").create_stream(StreamName="s", ShardCount=2)
    put = subprocess.Popen([str(leat.PROGRAM), "put", "s", "-", "-o", "json"], stdin=subprocess.PIPE,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                           env=leat.clean_environment(LEAT_DATA=data))
    put.stdin.write("".join(line + "\n" for line in lines()))
    put.stdin.flush()
    time.sleep(1.5 * leat.SLOW)
    put.send_signal(signal.SIGINT)
    put.wait(30)  # its input stays open: the signal alone ends it
    out, err = put.stdout.read(), put.stderr.read()
    leat.check_sanitizers(err)
    assert put.returncode == 130
    summary = json.loads(out)
    assert summary["interrupted"] and summary["records"] == N_RECORDS
    assert sum(map(len, read_all(server.client("kinesis"), "s").values())) == N_RECORDS
    server.stop()
