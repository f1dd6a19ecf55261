# SPDX-License-Identifier: Apache-2.0
"""kill -9 of the engine and of the runner, at random instants, at least fifty times in one run: every session that a put
acknowledged is in the buckets afterwards, and no object holds a record that another one holds."""
import base64
import collections
import glob
import gzip
import json
import os
import random
import signal
import socket
import subprocess
import threading
import time

from support import leat

SYSTEM = """
streams:
  sessions: {shards: 4}
  us: {shards: 2}
  intl: {shards: 1}
  rejected: {shards: 1}
buckets: [lake-us, lake-intl]
deliveries:
  us:   {from: us,   to: "s3://lake-us/sessions/",   buffer: {size: 1MiB, interval: 0s}, compression: gzip}
  intl: {from: intl, to: "s3://lake-intl/sessions/", buffer: {size: 1MiB, interval: 1s}}
pipelines:
  recommender:
    source: {stream: sessions}
    set:
      overall_product_quantity: '[.browsing_history[].quantity | tonumber] | add // 0'
    route:
      - {when: '.country == "USA"', to: us}
      - {to: intl}
    dead_letters: {stream: rejected}
"""

KILLS = int(os.environ.get("LEAT_TEST_KILLS", "50"))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Keeper:
    """Keeps a process running until it is told to stop, however often it is killed."""

    def __init__(self, command, env):
        self.command, self.env = command, env
        self.lock = threading.Lock()
        self.stopping = False
        self.process = None
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.command, env=self.env, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)

    def kill(self):
        with self.lock:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.start()

    def ensure(self):
        """A runner may also end by itself when its engine dies under it: that counts as a crash, too."""
        with self.lock:
            if self.process.poll() is not None and not self.stopping:
                self.start()

    def stop(self):
        with self.lock:
            self.stopping = True
            self.process.send_signal(signal.SIGTERM)
            return self.process.wait(60)


def put_records(port, records):
    """True when all of them were acknowledged."""
    body = json.dumps({"StreamName": "sessions", "Records": [
        {"PartitionKey": r["session_id"], "Data": base64.b64encode(json.dumps(r).encode()).decode()}
        for r in records]}).encode()
    head = (f"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.1\r\n"
            f"X-Amz-Target: Kinesis_20131202.PutRecords\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n")
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as s:
            s.sendall(head.encode() + body)
            answer = b""
            while chunk := s.recv(65536):
                answer += chunk
    except OSError:
        return False
    if not answer.startswith(b"HTTP/1.1 200"):
        return False
    try:
        return json.loads(answer.split(b"\r\n\r\n", 1)[1])["FailedRecordCount"] == 0
    except (ValueError, IndexError):
        return False


class Producer(threading.Thread):
    def __init__(self, port, seed):
        super().__init__(daemon=True)
        self.port, self.rng = port, random.Random(seed)
        self.acknowledged, self.n_again = set(), 0
        self.stopping = False

    def run(self):
        number = 0
        while not self.stopping:
            batch = []
            for _ in range(self.rng.randint(1, 40)):
                number += 1
                batch.append({"session_id": f"s{number}", "country": self.rng.choice(["USA", "France"]),
                              "browsing_history": [{"product_code": "p", "quantity": self.rng.randint(1, 5),
                                                    "in_shopping_cart": True}]})
            while not put_records(self.port, batch):
                self.n_again += 1
                if self.stopping:
                    return
                time.sleep(0.02)
            self.acknowledged.update(r["session_id"] for r in batch)
            time.sleep(0.01)


def objects_of(data, bucket):
    """Path -> its lines."""
    found = {}
    for path in glob.glob(f"{data}/buckets/{bucket}/**", recursive=True):
        if not os.path.isfile(path):
            continue
        with open(path, "rb") as f:
            raw = f.read()
        if raw[:2] == b"\x1f\x8b":
            raw = gzip.decompress(raw)
        assert raw.endswith(b"\n"), f"{path} holds a part of a record"
        found[path] = raw.splitlines()
    return found


def stream_lines(client, name):
    lines = []
    for shard in client.list_shards(StreamName=name)["Shards"]:
        iterator = client.get_shard_iterator(StreamName=name, ShardId=shard["ShardId"],
                                             ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
        while True:
            answer = client.get_records(ShardIterator=iterator, Limit=10000)
            lines += [r["Data"] for r in answer["Records"]]
            iterator = answer["NextShardIterator"]
            if not answer["Records"] and answer["MillisBehindLatest"] == 0:
                break
    return lines


def test_nothing_acknowledged_is_lost_and_no_object_comes_twice(tmp_path):
    data = tmp_path / "data"
    system = tmp_path / "system.yaml"
    system.write_text(SYSTEM)
    env = leat.clean_environment(LEAT_DATA=data)
    port = free_port()
    rng = random.Random(20260101)
    leat.run("up", system, data=data)
    engine = Keeper([str(leat.PROGRAM), "serve", "--listen", f"127.0.0.1:{port}"], env)
    runner = Keeper([str(leat.PROGRAM), "run", str(system)], env)
    producer = Producer(port, 7)
    producer.start()
    n_kills = {"engine": 0, "runner": 0}
    while sum(n_kills.values()) < KILLS:
        time.sleep(rng.uniform(0.1, 1.6))
        victim = rng.choice(["engine", "runner"])
        {"engine": engine, "runner": runner}[victim].kill()
        n_kills[victim] += 1
        runner.ensure()
    time.sleep(1)
    producer.stopping = True
    producer.join(30)
    runner.stop()
    assert engine.stop() == 0

    leat.run("run", system, "--drain", data=data, timeout_s=300)

    us, intl = objects_of(data, "lake-us"), objects_of(data, "lake-intl")
    counts = collections.Counter(json.loads(line)["session_id"]
                                 for objects in (us, intl) for lines in objects.values() for line in lines)
    lost = producer.acknowledged - set(counts)
    n_duplicates = sum(counts.values()) - len(counts)
    print(f"kills {n_kills}, acknowledged {len(producer.acknowledged)}, sent again {producer.n_again}, "
          f"lost {len(lost)}, duplicates {n_duplicates}, objects {len(us) + len(intl)}")
    assert len(producer.acknowledged) > 1000
    assert not lost
    for objects in (us, intl):
        for lines in objects.values():
            for line in lines:
                assert "overall_product_quantity" in json.loads(line)

    # The buckets hold exactly what the streams hold: no object, and no record of a stream, twice.
    server = leat.Server(data).start()
    kinesis = server.client("kinesis")
    for stream, objects in (("us", us), ("intl", intl)):
        in_stream = collections.Counter(stream_lines(kinesis, stream))
        in_objects = collections.Counter(line for lines in objects.values() for line in lines)
        assert in_objects == in_stream, "an object came twice, or a record is missing from the bucket"
    assert not stream_lines(kinesis, "rejected")
    server.stop()
