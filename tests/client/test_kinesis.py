# SPDX-License-Identifier: Apache-2.0
"""Kinesis' operations on streams and shards with each of their documented errors, and the protocol."""
import base64
import datetime
import json
import re
import socket
import threading

import pytest
import requests
from support.kinesis import (MAX_HASH_KEY, MIB, aged, fails, iterator, names, raw,
                             read_all, shard_id, shard_of)


@pytest.fixture
def api(shared_server):
    return shared_server.client("kinesis")


@pytest.fixture
def stream(api):
    """A stream of three shards of the test's own."""
    name = next(names)
    api.create_stream(StreamName=name, ShardCount=3)
    yield name
    try:
        api.delete_stream(StreamName=name)
    except api.exceptions.ResourceNotFoundException:
        pass


# ---- streams ----

def test_create_stream_is_active_at_once_with_equal_shards(api, stream):
    description = api.describe_stream(StreamName=stream)["StreamDescription"]
    assert description["StreamStatus"] == "ACTIVE"
    assert description["StreamARN"] == f"arn:aws:kinesis:us-east-1:000000000000:stream/{stream}"
    assert description["StreamModeDetails"] == {"StreamMode": "PROVISIONED"}
    assert description["RetentionPeriodHours"] == 24
    assert description["EncryptionType"] == "NONE"
    assert description["EnhancedMonitoring"] == [{"ShardLevelMetrics": []}]
    assert description["HasMoreShards"] is False
    age = datetime.datetime.now(datetime.timezone.utc) - description["StreamCreationTimestamp"]
    assert abs(age.total_seconds()) < 60
    ranges = [(int(shard["HashKeyRange"]["StartingHashKey"]), int(shard["HashKeyRange"]["EndingHashKey"]))
              for shard in description["Shards"]]
    assert [shard["ShardId"] for shard in description["Shards"]] == [shard_id(i) for i in range(3)]
    width = 2**128 // 3
    assert ranges == [(0, width - 1), (width, 2 * width - 1), (2 * width, MAX_HASH_KEY)]
    assert all("EndingSequenceNumber" not in shard["SequenceNumberRange"] for shard in description["Shards"])


@pytest.mark.parametrize("n", [1, 2, 4, 64, 1000])
def test_hash_ranges_cover_every_key_once(api, n):
    name = next(names)
    api.create_stream(StreamName=name, ShardCount=n)
    shards = api.list_shards(StreamName=name)["Shards"]
    assert len(shards) == n
    following = 0
    for shard in shards:
        assert int(shard["HashKeyRange"]["StartingHashKey"]) == following
        following = int(shard["HashKeyRange"]["EndingHashKey"]) + 1
    assert following == 2**128
    api.delete_stream(StreamName=name)


def test_on_demand_stream_has_four_shards(api):
    name = next(names)
    api.create_stream(StreamName=name, StreamModeDetails={"StreamMode": "ON_DEMAND"})
    summary = api.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
    assert summary["OpenShardCount"] == 4
    assert summary["StreamModeDetails"] == {"StreamMode": "ON_DEMAND"}
    api.delete_stream(StreamName=name)


def test_create_stream_errors(api, stream, shared_server):
    fails("ResourceInUseException", api.create_stream, StreamName=stream, ShardCount=1,
          text=f"Stream {stream} under account 000000000000 already exists.")
    fails("LimitExceededException", api.create_stream, StreamName=next(names), ShardCount=1_000_000)
    fails("ValidationException", api.create_stream, StreamName=next(names), text="shardCount")
    fails("ValidationException", api.create_stream, StreamName=next(names), ShardCount=1,
          StreamModeDetails={"StreamMode": "ON_DEMAND"})
    answer = raw(shared_server, "CreateStream",
                 {"StreamName": next(names), "ShardCount": 1, "RecordDistributionStrategy": "AUTO"})
    assert answer.json()["__type"] == "ValidationException"
    fails("ValidationException", api.create_stream, StreamName=next(names), ShardCount=1,
          StreamModeDetails={"StreamMode": "SOMETIMES"},
          text="Value 'SOMETIMES' at 'streamModeDetails.streamMode' failed to satisfy constraint: "
               "Member must satisfy enum value set: [PROVISIONED, ON_DEMAND]")
    fails("ValidationException", api.create_stream, StreamName="a/b", ShardCount=1,
          text="1 validation error detected: Value 'a/b' at 'streamName' failed to satisfy constraint: "
               "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+")
    fails("ValidationException", api.create_stream, StreamName="x" * 129, ShardCount=1,
          text="Member must have length less than or equal to 128")
    answer = raw(shared_server, "CreateStream", {"StreamName": "", "ShardCount": 0})
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("3 validation errors detected: ")
    answer = raw(shared_server, "CreateStream", {"ShardCount": 1})
    assert answer.json() == {
        "__type": "ValidationException",
        "message": "1 validation error detected: Value null at 'streamName' failed to satisfy constraint: "
                   "Member must not be null"}


def test_names_of_128_characters_work(api):
    name = "n" * 125 + "_.-"
    api.create_stream(StreamName=name, ShardCount=1)
    api.put_record(StreamName=name, Data=b"x", PartitionKey="k")
    at = iterator(api, name)
    assert len(at) <= 512
    assert len(api.get_records(ShardIterator=at)["Records"]) == 1
    api.delete_stream(StreamName=name)


def test_delete_stream_forgets_its_records(api, stream):
    api.put_record(StreamName=stream, Data=b"x", PartitionKey="k", ExplicitHashKey="0")
    at = iterator(api, stream)
    api.delete_stream(StreamName=stream)
    fails("ResourceNotFoundException", api.describe_stream, StreamName=stream)
    fails("ResourceNotFoundException", api.delete_stream, StreamName=stream)
    fails("ResourceNotFoundException", api.get_records, ShardIterator=at)
    api.create_stream(StreamName=stream, ShardCount=1)
    assert read_all(api, stream) == []
    fails("ResourceNotFoundException", api.get_records, ShardIterator=at)


def test_unknown_streams_are_named(api):
    text = "Stream nowhere under account 000000000000 not found."
    for call, more in ((api.describe_stream, {}), (api.describe_stream_summary, {}), (api.delete_stream, {}),
                       (api.list_shards, {}), (api.put_record, {"Data": b"", "PartitionKey": "k"}),
                       (api.put_records, {"Records": [{"Data": b"", "PartitionKey": "k"}]}),
                       (api.get_shard_iterator, {"ShardId": shard_id(0), "ShardIteratorType": "LATEST"})):
        fails("ResourceNotFoundException", call, StreamName="nowhere", text=text, **more)


def test_stream_arn_is_taken_for_the_name(api, stream, shared_server):
    arn = api.describe_stream(StreamName=stream)["StreamDescription"]["StreamARN"]
    summary = api.describe_stream_summary(StreamARN=arn)["StreamDescriptionSummary"]
    assert summary["StreamName"] == stream
    assert summary["OpenShardCount"] == 3
    assert summary["MaxRecordSizeInKiB"] == 1024
    api.put_record(StreamARN=arn, Data=b"1", PartitionKey="k")
    api.put_records(StreamARN=arn, Records=[{"Data": b"2", "PartitionKey": "k"}])
    at = api.get_shard_iterator(StreamARN=arn, ShardId=shard_id(shard_of("k", 3)),
                                ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
    assert [r["Data"] for r in api.get_records(ShardIterator=at, StreamARN=arn)["Records"]] == [b"1", b"2"]
    assert len(api.list_shards(StreamARN=arn)["Shards"]) == 3
    fails("InvalidArgumentException", api.describe_stream, StreamARN=arn, StreamName="other")
    fails("InvalidArgumentException", api.describe_stream)
    answer = raw(shared_server, "DescribeStream", {"StreamARN": "arn:aws:s3:::x"})
    assert answer.json()["__type"] == "ValidationException"
    assert "arn:aws.*:kinesis:.*:\\d{12}:stream/\\S+" in answer.json()["message"]


def test_describe_stream_pages(api):
    name = next(names)
    api.create_stream(StreamName=name, ShardCount=250)
    page = api.describe_stream(StreamName=name)["StreamDescription"]
    assert (len(page["Shards"]), page["HasMoreShards"]) == (100, True)
    page = api.describe_stream(StreamName=name, Limit=7, ExclusiveStartShardId=shard_id(2))["StreamDescription"]
    assert [shard["ShardId"] for shard in page["Shards"]] == [shard_id(i) for i in range(3, 10)]
    pages = api.get_paginator("describe_stream").paginate(StreamName=name)
    seen = [shard["ShardId"] for page in pages for shard in page["StreamDescription"]["Shards"]]
    assert seen == [shard_id(i) for i in range(250)]
    fails("ValidationException", api.describe_stream, StreamName=name, Limit=10001)
    fails("ResourceNotFoundException", api.describe_stream, StreamName=name, ExclusiveStartShardId="elsewhere",
          text="Could not find shard elsewhere in stream")
    api.delete_stream(StreamName=name)


def test_list_streams_pages_in_order(server, kinesis):
    wanted = [f"l-{i:03}" for i in range(25)]
    for name in reversed(wanted):
        kinesis.create_stream(StreamName=name, ShardCount=1)
    answer = kinesis.list_streams()
    assert answer["StreamNames"] == wanted
    assert answer["HasMoreStreams"] is False
    assert [summary["StreamName"] for summary in answer["StreamSummaries"]] == wanted
    assert answer["StreamSummaries"][0]["StreamStatus"] == "ACTIVE"
    page = kinesis.list_streams(Limit=10)
    assert (page["StreamNames"], page["HasMoreStreams"]) == (wanted[:10], True)
    assert kinesis.list_streams(Limit=10, NextToken=page["NextToken"])["StreamNames"] == wanted[10:20]
    page = kinesis.list_streams(ExclusiveStartStreamName="l-019")
    assert (page["StreamNames"], page["HasMoreStreams"]) == (wanted[20:], False)
    assert kinesis.list_streams(ExclusiveStartStreamName="l-01")["StreamNames"] == wanted[10:]
    pages = kinesis.get_paginator("list_streams").paginate(PaginationConfig={"PageSize": 4})
    assert [name for page in pages for name in page["StreamNames"]] == wanted
    fails("InvalidArgumentException", kinesis.list_streams, NextToken="AAAA")
    fails("ValidationException", kinesis.list_streams, Limit=10001)


# ---- shards ----

def test_list_shards_pages_and_filters(api):
    name = next(names)
    api.create_stream(StreamName=name, ShardCount=10)

    def ids(**more):
        return [int(shard["ShardId"][-3:]) for shard in api.list_shards(StreamName=name, **more)["Shards"]]

    created = api.describe_stream(StreamName=name)["StreamDescription"]["StreamCreationTimestamp"]
    assert ids() == list(range(10))
    assert ids(ExclusiveStartShardId=shard_id(6)) == [7, 8, 9]
    assert ids(StreamCreationTimestamp=created) == list(range(10))
    for kind in ("AT_TRIM_HORIZON", "FROM_TRIM_HORIZON", "AT_LATEST"):
        assert ids(ShardFilter={"Type": kind}) == list(range(10)), kind
    for kind in ("AT_TIMESTAMP", "FROM_TIMESTAMP"):
        assert ids(ShardFilter={"Type": kind, "Timestamp": created}) == list(range(10)), kind
        assert ids(ShardFilter={"Type": kind, "Timestamp": datetime.datetime(2001, 1, 1)}) == list(range(10)), kind
        fails("InvalidArgumentException", ids, ShardFilter={"Type": kind})
        fails("InvalidArgumentException", ids, ShardFilter={"Type": kind, "Timestamp": datetime.datetime(2101, 1, 1)})
    assert ids(ShardFilter={"Type": "AFTER_SHARD_ID", "ShardId": shard_id(7)}) == [8, 9]
    fails("InvalidArgumentException", ids, ShardFilter={"Type": "AFTER_SHARD_ID"})
    fails("ValidationException", ids, ShardFilter={"Type": "NEVER"}, text="shardFilter.type")
    fails("ResourceNotFoundException", ids, ExclusiveStartShardId=shard_id(10))
    fails("ResourceNotFoundException", ids, StreamCreationTimestamp=datetime.datetime(2001, 1, 1))
    fails("ValidationException", ids, MaxResults=10001)

    page = api.list_shards(StreamName=name, MaxResults=4, ShardFilter={"Type": "AFTER_SHARD_ID", "ShardId": shard_id(1)})
    seen = [page["Shards"]]
    while "NextToken" in page:
        page = api.list_shards(NextToken=page["NextToken"], MaxResults=3)
        seen.append(page["Shards"])
    assert [len(part) for part in seen] == [4, 3, 1]
    assert [int(shard["ShardId"][-3:]) for part in seen for shard in part] == list(range(2, 10))
    api.delete_stream(StreamName=name)


def test_list_shards_token_errors(api, stream):
    token = api.list_shards(StreamName=stream, MaxResults=1)["NextToken"]
    fails("InvalidArgumentException", api.list_shards, NextToken=token, StreamName=stream,
          text="NextToken and StreamName cannot be provided together.")
    fails("InvalidArgumentException", api.list_shards, text="Either NextToken or StreamName should be provided.")
    fails("InvalidArgumentException", api.list_shards, NextToken=token[:-8] + "AAAAAAA=")
    fails("InvalidArgumentException", api.list_shards, NextToken=iterator(api, stream))
    assert len(api.list_shards(NextToken=aged(token, 290))["Shards"]) == 2
    fails("ExpiredNextTokenException", api.list_shards, NextToken=aged(token, 301))
    api.delete_stream(StreamName=stream)
    fails("ResourceNotFoundException", api.list_shards, NextToken=token)


# ---- the protocol ----

def test_unknown_operations_are_refused(shared_server):
    for target in ("Kinesis_20131202.Frobnicate", "Kinesis_19990101.ListStreams", "Nothing", ""):
        answer = requests.post(shared_server.url, data="{}", timeout=10, headers={"X-Amz-Target": target})
        assert (answer.status_code, answer.json()["__type"]) == (400, "UnknownOperationException"), target


def test_cbor_is_refused_with_a_reason(shared_server):
    answer = raw(shared_server, "ListStreams", b"\xa0", **{"Content-Type": "application/x-amz-cbor-1.1"})
    assert answer.status_code == 400
    assert "CBOR" in answer.json()["message"]


def test_answers_carry_their_type_and_a_request_id(shared_server):
    ids = set()
    for kind in ("application/x-amz-json-1.1", "application/x-amz-json-1.0"):
        for operation in ("ListStreams", "DescribeStream"):
            answer = raw(shared_server, operation, {}, **{"Content-Type": kind})
            assert answer.headers["Content-Type"] == kind
            assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", answer.headers["x-amzn-RequestId"])
            ids.add(answer.headers["x-amzn-RequestId"])
    assert len(ids) == 4


def test_a_body_over_the_limit_is_refused(shared_server):
    answer = raw(shared_server, "PutRecords", b'{"StreamName": "x", "Pad": "' + b"x" * (17 * MIB) + b'"}')
    assert answer.status_code == 413


def test_a_connection_is_kept_and_expect_100_is_answered(shared_server):
    head = (f"POST / HTTP/1.1\r\nHost: 127.0.0.1:{shared_server.port}\r\nContent-Type: application/x-amz-json-1.1\r\n"
            "X-Amz-Target: Kinesis_20131202.ListStreams\r\nContent-Length: 2\r\n")
    with socket.create_connection(("127.0.0.1", shared_server.port), 10) as sock:
        for _ in range(3):
            sock.sendall((head + "Expect: 100-continue\r\n\r\n").encode())
            assert sock.recv(4096).startswith(b"HTTP/1.1 100 ")
            sock.sendall(b"{}")
            got = b""
            while b"StreamSummaries" not in got:
                part = sock.recv(65536)
                assert part, got
                got += part
            assert got.startswith(b"HTTP/1.1 200 ")


def test_two_clients_put_to_one_stream(shared_server, stream):
    n = 40

    def put(who):
        client = shared_server.client("kinesis")
        for i in range(n):
            client.put_records(StreamName=stream, Records=[
                {"Data": f"{who} {i} {k}".encode(), "PartitionKey": f"{who}"} for k in range(10)])

    threads = [threading.Thread(target=put, args=(who,)) for who in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    records = read_all(shared_server.client("kinesis"), stream)
    for who in range(2):
        own = [tuple(map(int, r["Data"].split()))[1:] for r in records if r["Data"].startswith(f"{who} ".encode())]
        assert own == [(i, k) for i in range(n) for k in range(10)]


def test_awscli_works_as_it_comes(shared_server):
    aws = shared_server.aws
    name = next(names)
    aws("kinesis", "create-stream", "--stream-name", name, "--shard-count", "1")
    aws("kinesis", "wait", "stream-exists", "--stream-name", name)
    put = json.loads(aws("kinesis", "put-record", "--stream-name", name, "--partition-key", "k", "--data",
                         "from the shell").stdout)
    at = json.loads(aws("kinesis", "get-shard-iterator", "--stream-name", name, "--shard-id", put["ShardId"],
                        "--shard-iterator-type", "TRIM_HORIZON").stdout)["ShardIterator"]
    records = json.loads(aws("kinesis", "get-records", "--shard-iterator", at).stdout)["Records"]
    assert [base64.b64decode(record["Data"]) for record in records] == [b"from the shell"]
    assert name in json.loads(aws("kinesis", "list-streams").stdout)["StreamNames"]
    aws("kinesis", "delete-stream", "--stream-name", name)
    aws("kinesis", "wait", "stream-not-exists", "--stream-name", name)
    assert "ResourceNotFoundException" in aws("kinesis", "delete-stream", "--stream-name", name, code=255).stderr
