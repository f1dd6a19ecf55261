# SPDX-License-Identifier: Apache-2.0
"""The Kinesis body of leat's streams against kinesalite, a Kinesis that is not leat's own."""
import collections
import os
import pathlib
import subprocess

import boto3
import botocore.config
import pytest

from support.leat import PROGRAM, check_sanitizers, clean_environment

STREAMCTL = pathlib.Path(os.environ.get("LEAT_STREAMCTL", PROGRAM.parent / "tests/tools/streamctl"))
KEYS = {"AWS_ACCESS_KEY_ID": "AKIDTEST", "AWS_SECRET_ACCESS_KEY": "hidden-secret"}
Record = collections.namedtuple("Record", "shard sequence key time_ms data")


class Streams:
    """streamctl at one endpoint."""

    def __init__(self, url, **env):
        self.url = url
        self.env = env

    def __call__(self, *args, stdin="", code=0):
        done = subprocess.run([str(STREAMCTL), self.url, *map(str, args)], input=stdin, text=True,
                              capture_output=True, timeout=120, env=clean_environment(**self.env))
        check_sanitizers(done.stderr)
        assert done.returncode == code, f"{args}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout if code == 0 else done.stderr

    def put(self, stream, records):
        lines = "".join(f"{key}\t{data}\n" for key, data in records)
        return [line.split("\t") for line in self("put", stream, stdin=lines).splitlines()]

    def read(self, stream, start, *shard):
        rows = [line.split("\t", 4) for line in self("read", stream, start, *shard).splitlines()]
        return ([Record(*row) for row in rows if len(row) == 5],
                [row[0] for row in rows if len(row) == 2])


@pytest.fixture(scope="module")
def module_kinesalite():
    from support.kinesalite import Kinesalite
    peer = Kinesalite().start()
    yield peer
    peer.stop()


@pytest.fixture
def streams(module_kinesalite):
    return Streams(module_kinesalite.url, **KEYS)


@pytest.fixture
def boto(module_kinesalite):
    return boto3.client("kinesis", endpoint_url=module_kinesalite.url, region_name="us-east-1",
                        aws_access_key_id="x", aws_secret_access_key="x",
                        config=botocore.config.Config(retries={"max_attempts": 1}))


def test_a_stream_is_made_described_listed_and_removed(streams):
    streams("create", "life", 3)
    name, arn, status, n_open, retention, created = streams("describe", "life").split("\t")
    assert (name, status, n_open, retention) == ("life", "ACTIVE", "3", "24")
    assert arn.endswith(":stream/life") and int(created) > 1_600_000_000_000
    assert "life" in streams("list").split()
    assert streams("create", "life", 3, code=1).startswith("LEAT_E_EXISTS ")
    assert [row.split("\t")[1:] for row in streams("shards", "life").splitlines()] == [
        ["-", "-", "open"]] * 3
    streams("remove", "life")
    streams("create", "life", 1)  # waits for the deletion
    assert streams("describe", "life").split("\t")[3] == "1"
    streams("remove", "life")


def test_a_stream_that_is_not_there_is_told(streams):
    for args in (("describe", "none"), ("remove", "none"), ("shards", "none"),
                 ("read", "none", "trim", "shardId-000000000000")):
        text = streams(*args, code=1)
        assert text.startswith("LEAT_E_NOT_FOUND ResourceNotFoundException "), text
        assert "hidden-secret" not in text


def test_lists_of_streams_go_over_pages(streams):
    names = [f"page-{i:02}" for i in range(12)]
    for name in names:
        streams("create", name, 1)
    assert [name for name in streams("list").split() if name.startswith("page-")] == names
    for name in names:
        streams("remove", name)


def test_what_is_put_is_read_back_byte_for_byte(streams, boto):
    streams("create", "bytes", 4)
    sent = [(f"key-{i}", f'{{"n": {i}, "text": "é☃ \\u00e9/\\/"}}') for i in range(1200)]
    results = streams.put("bytes", sent)
    assert [row[0] for row in results] == ["LEAT_OK"] * 1200
    assert len({row[2] for row in results}) == 4
    records, ended = streams.read("bytes", "trim")
    assert not ended
    assert sorted((r.key, r.data) for r in records) == sorted(sent)
    placed = {(row[2], row[3]) for row in results}
    assert {(r.shard, r.sequence) for r in records} == placed
    by_key = dict(sent)
    # another client sees the same
    shard = records[0].shard
    iterator = boto.get_shard_iterator(StreamName="bytes", ShardId=shard,
                                       ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
    for record in boto.get_records(ShardIterator=iterator)["Records"]:
        assert by_key[record["PartitionKey"]] == record["Data"].decode()
    streams("remove", "bytes")


def test_reading_starts_where_it_is_told_to(streams):
    streams("create", "starts", 1)
    results = streams.put("starts", [("k", str(i)) for i in range(10)])
    third = results[3][3]
    assert [r.data for r in streams.read("starts", f"at:{third}")[0]] == list("3456789")
    assert [r.data for r in streams.read("starts", f"after:{third}")[0]] == list("456789")
    records, _ = streams.read("starts", "trim")
    assert [r.data for r in records] == list("0123456789")
    later = max(int(r.time_ms) for r in records) + 1
    assert streams.read("starts", "latest")[0] == []
    assert [r.data for r in streams.read("starts", f"time:{later - 3600_000}")[0]] == list("0123456789")
    streams("remove", "starts")


def test_a_shard_that_was_split_is_read_to_its_end_and_its_children_named(streams, boto):
    streams("create", "split", 1)
    streams.put("split", [("k", f"before-{i}") for i in range(20)])
    shard = boto.describe_stream(StreamName="split")["StreamDescription"]["Shards"][0]
    boto.split_shard(StreamName="split", ShardToSplit=shard["ShardId"],
                     NewStartingHashKey=str(2 ** 127))
    streams("create", "split", 1, code=1)  # waits until it is no longer UPDATING or tells EXISTS
    boto.get_waiter("stream_exists").wait(StreamName="split", WaiterConfig={"Delay": 1})
    rows = [row.split("\t") for row in streams("shards", "split").splitlines()]
    assert rows[0] == ["shardId-000000000000", "-", "-", "closed"]
    assert [row[1:] for row in rows[1:]] == [["shardId-000000000000", "-", "open"]] * 2
    streams.put("split", [(f"key-{i}", f"after-{i}") for i in range(20)])
    records, ended = streams.read("split", "trim")
    assert ended == ["shardId-000000000000"]
    assert [r.data for r in records if r.shard == rows[0][0]] == [f"before-{i}" for i in range(20)]
    assert sorted(r.data for r in records if r.shard != rows[0][0]) == sorted(
        f"after-{i}" for i in range(20))
    streams("remove", "split")


def test_a_service_without_the_newer_operations_is_used_all_the_same(module_kinesalite):
    """Older releases of kinesalite know neither ListShards nor DescribeStreamSummary."""
    import http.server
    import threading
    import urllib.request

    class Older(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            operation = self.headers["X-Amz-Target"].split(".")[1]
            if operation in ("ListShards", "DescribeStreamSummary"):
                status, answer = 400, b'{"__type":"UnknownOperationException"}'
            else:
                request = urllib.request.Request(module_kinesalite.url, body,
                                                 dict(self.headers.items()))
                try:
                    with urllib.request.urlopen(request) as got:
                        status, answer = got.status, got.read()
                except urllib.error.HTTPError as error:
                    status, answer = error.code, error.read()
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Older)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        streams = Streams(f"http://127.0.0.1:{server.server_port}")
        streams("create", "older", 2)
        assert streams("describe", "older").split("\t")[3] == "2"
        assert len(streams("shards", "older").splitlines()) == 2
        streams.put("older", [("a", "1"), ("b", "2")])
        assert sorted(r.data for r in streams.read("older", "trim")[0]) == ["1", "2"]
        streams("remove", "older")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_loopback_needs_no_credentials_and_others_do(module_kinesalite):
    assert Streams(module_kinesalite.url)("list") is not None
    text = Streams("http://kinesis.invalid")("list", code=1)
    assert text.startswith("LEAT_E_AUTH ") and "AWS_ACCESS_KEY_ID" in text
