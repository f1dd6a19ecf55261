# SPDX-License-Identifier: Apache-2.0
"""Kinesis' records in and out with each of the documented errors, and what lasts of them."""
import base64
import datetime
import json
import re
import resource
import subprocess
import threading
import time

import botocore.exceptions
import pytest
from support import leat
from support.kinesis import (MAX_HASH_KEY, MIB, aged, fails, iterator, names, raw,
                             read_all, read_shard, shard_id, shard_of)


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


# ---- puts ----

def test_put_record_goes_by_the_keys_md5(api, stream):
    for i in range(20):
        answer = api.put_record(StreamName=stream, Data=f"record {i}".encode(), PartitionKey=f"key {i}")
        assert answer["ShardId"] == shard_id(shard_of(f"key {i}", 3))
        assert re.fullmatch(r"[1-9]\d{0,128}", answer["SequenceNumber"])
        assert answer["EncryptionType"] == "NONE"
    records = read_all(api, stream)
    assert sorted(record["Data"] for record in records) == sorted(f"record {i}".encode() for i in range(20))
    for record in records:
        assert record["PartitionKey"] == "key " + record["Data"].decode().split()[1]
        assert abs(record["ApproximateArrivalTimestamp"].timestamp() - time.time()) < 60


def test_explicit_hash_keys_choose_the_shard(api, stream):
    width = 2**128 // 3
    for key, index in ((0, 0), (width - 1, 0), (width, 1), (2 * width, 2), (MAX_HASH_KEY, 2)):
        answer = api.put_record(StreamName=stream, Data=b"x", PartitionKey="same", ExplicitHashKey=str(key))
        assert answer["ShardId"] == shard_id(index), key
    answer = api.put_records(StreamName=stream, Records=[
        {"Data": b"x", "PartitionKey": "same", "ExplicitHashKey": str(key)} for key in (MAX_HASH_KEY, 0, width)])
    assert [record["ShardId"] for record in answer["Records"]] == [shard_id(i) for i in (2, 0, 1)]
    fails("InvalidArgumentException", api.put_record, StreamName=stream, Data=b"x", PartitionKey="k",
          ExplicitHashKey=str(2**128), text="ExplicitHashKey must be in the range: [0, 2^128-1]")
    for bad in ("01", "-1", "x", "1" * 40, ""):
        fails("ValidationException", api.put_record, StreamName=stream, Data=b"x", PartitionKey="k",
              ExplicitHashKey=bad, text="explicitHashKey")
        fails("ValidationException", api.put_records, StreamName=stream, text="records.2.member.explicitHashKey",
              Records=[{"Data": b"x", "PartitionKey": "k"},
                       {"Data": b"x", "PartitionKey": "k", "ExplicitHashKey": bad}])


def test_sequence_numbers_rise_within_a_shard(api, stream):
    last = 0
    for i in range(5):
        more = {"SequenceNumberForOrdering": str(last)} if last else {}
        first = int(api.put_record(StreamName=stream, Data=b"x", PartitionKey="k", **more)["SequenceNumber"])
        batch = api.put_records(StreamName=stream, Records=[{"Data": b"x", "PartitionKey": "k"}] * 3)["Records"]
        numbers = [first] + [int(record["SequenceNumber"]) for record in batch]
        assert numbers == sorted(set(numbers)) and numbers[0] > last
        last = numbers[-1]
    read = [int(r["SequenceNumber"]) for r in read_shard(api, stream, shard_of("k", 3))]
    assert read == sorted(read) and len(read) == 20
    fails("InvalidArgumentException", api.put_record, StreamName=stream, Data=b"x", PartitionKey="k",
          SequenceNumberForOrdering="5", text="ExclusiveMinimumSequenceNumber 5 used in PutRecord on stream")
    fails("ValidationException", api.put_record, StreamName=stream, Data=b"x", PartitionKey="k",
          SequenceNumberForOrdering="five", text="sequenceNumberForOrdering")


def test_any_bytes_and_any_key_come_back(api, stream):
    every = bytes(range(256)) * 5
    keys = ["k", "ключ", "🔑" * 256, 'quote " back \\ slash / tab \t', "a" * 256, "\u0001"]
    api.put_records(StreamName=stream, Records=[
        {"Data": every[i:], "PartitionKey": key} for i, key in enumerate(keys)])
    api.put_record(StreamName=stream, Data=b"", PartitionKey="empty")
    records = {record["PartitionKey"]: record["Data"] for record in read_all(api, stream)}
    assert records == {**{key: every[i:] for i, key in enumerate(keys)}, "empty": b""}


def test_records_of_one_mib_are_taken_and_larger_ones_refused(api, stream):
    largest = bytes(MIB)
    api.put_record(StreamName=stream, Data=largest, PartitionKey="k")
    answer = api.put_records(StreamName=stream, Records=[{"Data": largest, "PartitionKey": "k"}] * 3)
    assert answer["FailedRecordCount"] == 0
    fails("ValidationException", api.put_record, StreamName=stream, Data=bytes(MIB + 1), PartitionKey="k",
          text="at 'data' failed to satisfy constraint: Member must have length less than or equal to 1048576")
    fails("ValidationException", api.put_records, StreamName=stream, text="'records.2.member.data'",
          Records=[{"Data": b"", "PartitionKey": "k"}, {"Data": bytes(MIB + 1), "PartitionKey": "k"}])
    records = read_shard(api, stream, shard_of("k", 3))
    assert [len(record["Data"]) for record in records] == [MIB] * 4


def test_a_stream_can_take_larger_records(api):
    name = next(names)
    api.create_stream(StreamName=name, ShardCount=1, MaxRecordSizeInKiB=10240)
    summary = api.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
    assert summary["MaxRecordSizeInKiB"] == 10240
    data = bytes(10 * MIB - 1)
    api.put_record(StreamName=name, Data=data, PartitionKey="k")
    api.put_record(StreamName=name, Data=b"behind", PartitionKey="k")
    assert [len(r["Data"]) for r in read_shard(api, name, 0)] == [len(data), 6]
    fails("ValidationException", api.put_record, StreamName=name, Data=bytes(10 * MIB + 1), PartitionKey="k")
    fails("ValidationException", api.create_stream, StreamName=next(names), ShardCount=1, MaxRecordSizeInKiB=10241)
    api.delete_stream(StreamName=name)


def test_put_records_limits(api, stream, shared_server):
    answer = api.put_records(StreamName=stream, Records=[{"Data": b"x", "PartitionKey": str(i)} for i in range(500)])
    assert answer["FailedRecordCount"] == 0
    assert len(answer["Records"]) == 500
    assert [r["ShardId"] for r in answer["Records"]] == [shard_id(shard_of(str(i), 3)) for i in range(500)]
    fails("ValidationException", api.put_records, StreamName=stream,
          Records=[{"Data": b"x", "PartitionKey": "k"}] * 501,
          text="at 'records' failed to satisfy constraint: Member must have length less than or equal to 500")
    answer = raw(shared_server, "PutRecords", {"StreamName": stream, "Records": []})
    assert answer.json()["__type"] == "ValidationException"
    assert "Member must have length greater than or equal to 1" in answer.json()["message"]
    fails("InvalidArgumentException", api.put_records, StreamName=stream,
          Records=[{"Data": bytes(MIB), "PartitionKey": "k"}] * 10, text="Records size exceeds")
    assert len(read_all(api, stream)) == 500


def test_partition_keys_have_1_to_256_characters(api, stream, shared_server):
    fails("ValidationException", api.put_record, StreamName=stream, Data=b"", PartitionKey="k" * 257,
          text="at 'partitionKey' failed to satisfy constraint: Member must have length less than or equal to 256")
    fails("ValidationException", api.put_records, StreamName=stream, text="'records.1.member.partitionKey'",
          Records=[{"Data": b"", "PartitionKey": "🔑" * 257}])
    for records in ([{"Data": "", "PartitionKey": ""}], [{"Data": ""}], [{"Data": "", "PartitionKey": None}],
                    [{"PartitionKey": "k"}], [None]):
        answer = raw(shared_server, "PutRecords", {"StreamName": stream, "Records": records})
        assert (answer.status_code, answer.json()["__type"]) == (400, "ValidationException"), records
    assert read_all(api, stream) == []


@pytest.mark.parametrize("operation,body", [
    ("PutRecords", {"StreamName": "S", "Records": "x"}),
    ("PutRecords", {"StreamName": "S", "Records": ["x"]}),
    ("PutRecords", {"StreamName": "S", "Records": [{"Data": 5, "PartitionKey": "k"}]}),
    ("PutRecords", {"StreamName": "S", "Records": [{"Data": "", "PartitionKey": 5}]}),
    ("PutRecords", {"StreamName": "S", "Records": [{"Data": "a", "PartitionKey": "k"}]}),
    ("PutRecords", {"StreamName": "S", "Records": [{"Data": "*&^%", "PartitionKey": "k"}]}),
    ("PutRecord", {"StreamName": "S", "Data": "====", "PartitionKey": "k"}),
    ("PutRecord", {"StreamName": "S", "Data": {}, "PartitionKey": "k"}),
    ("PutRecord", {"StreamName": ["S"], "Data": "", "PartitionKey": "k"}),
    ("CreateStream", {"StreamName": "x", "ShardCount": "3"}),
    ("CreateStream", {"StreamName": "x", "ShardCount": True}),
    ("CreateStream", {"StreamName": "x", "StreamModeDetails": "ON_DEMAND"}),
    ("GetRecords", {"ShardIterator": 5}),
    ("GetShardIterator", {"StreamName": "S", "ShardId": shard_id(0), "ShardIteratorType": "AT_TIMESTAMP", "Timestamp": "now"}),
    ("ListStreams", "[]"), ("ListStreams", "null"), ("ListStreams", "{"), ("ListStreams", ""),
    ("ListStreams", b'{"Limit": "\xff"}'), ("ListStreams", '{"Limit": 1} x'),
    ("ListStreams", "[" * 100_000),
])
def test_wrong_types_and_broken_json_are_serialization_errors(shared_server, stream, operation, body):
    if isinstance(body, dict):
        body = json.loads(json.dumps(body).replace('"S"', f'"{stream}"'))
    answer = raw(shared_server, operation, body)
    assert (answer.status_code, answer.json()["__type"]) == (400, "SerializationException")
    assert answer.headers["x-amzn-RequestId"]


def test_a_bad_record_refuses_the_whole_batch(api, stream):
    fails("ValidationException", api.put_records, StreamName=stream,
          Records=[{"Data": b"good", "PartitionKey": "k"}, {"Data": b"bad", "PartitionKey": "k" * 257}])
    assert read_all(api, stream) == []


def test_escapes_in_a_body_are_understood(shared_server, api, stream):
    body = ('{"\\u0053treamName": "%s", "Records": [{"Data": "aGk\\/", "PartitionKey": "\\u006b\\n"},'
            ' {"PartitionKey": "k2", "Unknown": [{"deep": [1, 2]}], "Data": "aGk="}], "More": null}' % stream)
    answer = raw(shared_server, "PutRecords", body)
    assert answer.status_code == 200, answer.text
    records = {record["PartitionKey"]: record["Data"] for record in read_all(api, stream)}
    assert records == {"k\n": base64.b64decode("aGk/"), "k2": b"hi"}


def test_a_dry_run_checks_and_does_nothing(api, stream, shared_server):
    at = iterator(api, stream)
    record = {"Data": "", "PartitionKey": "k"}
    for operation, body in (("PutRecord", {"StreamName": stream, **record}),
                            ("PutRecords", {"StreamName": stream, "Records": [record]}),
                            ("GetShardIterator", {"StreamName": stream, "ShardId": shard_id(0), "ShardIteratorType": "LATEST"}),
                            ("GetRecords", {"ShardIterator": at})):
        answer = raw(shared_server, operation, {**body, "DryRun": True})
        assert (answer.status_code, answer.json()["__type"]) == (400, "DryRunOperationException"), operation
        assert raw(shared_server, operation, {**body, "DryRun": False}).status_code == 200
    answer = raw(shared_server, "PutRecord", {"StreamName": "nowhere", "DryRun": True, **record})
    assert answer.json()["__type"] == "ResourceNotFoundException"
    assert len(read_all(api, stream)) == 2


# ---- reads ----

def put_numbered(api, stream, n, size=10):
    for start in range(0, n, 500):
        api.put_records(StreamName=stream, Records=[
            {"Data": f"{i:0{size}}".encode(), "PartitionKey": "k", "ExplicitHashKey": "0"}
            for i in range(start, min(start + 500, n))])


def numbers(records):
    return [int(record["Data"]) for record in records]


def test_iterators_start_where_they_say(api, stream):
    put_numbered(api, stream, 10)
    records = read_shard(api, stream, 0)
    sixth = records[5]["SequenceNumber"]
    assert numbers(records) == list(range(10))
    assert numbers(read_shard(api, stream, 0, "AT_SEQUENCE_NUMBER", StartingSequenceNumber=sixth)) == [5, 6, 7, 8, 9]
    assert numbers(read_shard(api, stream, 0, "AFTER_SEQUENCE_NUMBER", StartingSequenceNumber=sixth)) == [6, 7, 8, 9]
    latest = iterator(api, stream, 0, "LATEST")
    put_numbered(api, stream, 2)
    assert numbers(api.get_records(ShardIterator=latest)["Records"]) == [0, 1]
    shard = api.describe_stream(StreamName=stream)["StreamDescription"]["Shards"][0]
    start = shard["SequenceNumberRange"]["StartingSequenceNumber"]
    for kind in ("AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"):
        assert len(read_shard(api, stream, 0, kind, StartingSequenceNumber=start)) == 12


def test_iterator_at_a_timestamp(api, stream):
    put_numbered(api, stream, 3)
    time.sleep(1.1)
    put_numbered(api, stream, 2)
    records = read_shard(api, stream, 0)
    between = records[3]["ApproximateArrivalTimestamp"].replace(microsecond=0)
    assert len(read_shard(api, stream, 0, "AT_TIMESTAMP", Timestamp=between)) == 2
    assert len(read_shard(api, stream, 0, "AT_TIMESTAMP", Timestamp=datetime.datetime(2001, 1, 1))) == 5
    fails("InvalidArgumentException", iterator, api, stream, 0, "AT_TIMESTAMP",
          Timestamp=datetime.datetime(2101, 1, 1), text="cannot be greater than the currentTimestampInMillis")
    fails("InvalidArgumentException", iterator, api, stream, 0, "AT_TIMESTAMP", text="Must specify timestampInMillis")


def test_iterator_errors(api, stream):
    number = api.put_record(StreamName=stream, Data=b"x", PartitionKey="k", ExplicitHashKey="0")["SequenceNumber"]
    fails("ResourceNotFoundException", iterator, api, stream, 3, text="does not exist")
    fails("ResourceNotFoundException", api.get_shard_iterator, StreamName=stream, ShardId="shard-x",
          ShardIteratorType="LATEST", text="Could not find shard shard-x in stream")
    fails("ValidationException", iterator, api, stream, 0, "FIRST",
          text="[AT_SEQUENCE_NUMBER, AFTER_SEQUENCE_NUMBER, TRIM_HORIZON, LATEST, AT_TIMESTAMP]")
    fails("ValidationException", iterator, api, stream, 0, "AT_SEQUENCE_NUMBER", StartingSequenceNumber="0x")
    for kind in ("AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"):
        fails("InvalidArgumentException", iterator, api, stream, 0, kind, text="and no StartingSequenceNumber.")
        fails("InvalidArgumentException", iterator, api, stream, 1, kind, StartingSequenceNumber=number,
              text=f"It encodes {shard_id(0)}, while it was used in a call to a shard with {shard_id(1)}")
        fails("InvalidArgumentException", iterator, api, stream, 0, kind, StartingSequenceNumber="12345")
        fails("InvalidArgumentException", iterator, api, stream, 0, kind, StartingSequenceNumber=str(int(number) + 1))
    for kind in ("TRIM_HORIZON", "LATEST"):
        fails("InvalidArgumentException", iterator, api, stream, 0, kind, StartingSequenceNumber=number,
              text="and also a StartingSequenceNumber.")


def test_get_records_limits_and_goes_on(api, stream):
    put_numbered(api, stream, 2500)
    at, seen = iterator(api, stream), []
    while len(seen) < 2500:
        answer = api.get_records(ShardIterator=at, Limit=999)
        seen += numbers(answer["Records"])
        assert len(answer["Records"]) <= 999
        assert (answer["MillisBehindLatest"] == 0) == (len(seen) == 2500)
        at = answer["NextShardIterator"]
    assert seen == list(range(2500))
    again = api.get_records(ShardIterator=at)
    assert again["Records"] == [] and again["MillisBehindLatest"] == 0
    assert len(again["NextShardIterator"]) <= 512
    put_numbered(api, stream, 1)
    assert len(api.get_records(ShardIterator=again["NextShardIterator"])["Records"]) == 1
    fails("ValidationException", api.get_records, ShardIterator=at, Limit=10001)


def test_get_records_gives_at_most_10000_records(api, stream):
    put_numbered(api, stream, 10_001)
    answer = api.get_records(ShardIterator=iterator(api, stream))
    assert numbers(answer["Records"]) == list(range(10_000))
    assert answer["MillisBehindLatest"] > 0
    assert numbers(api.get_records(ShardIterator=answer["NextShardIterator"])["Records"]) == [10_000]


def test_get_records_gives_at_most_10_mib(api, stream):
    for i in range(12):
        api.put_record(StreamName=stream, Data=bytes([i]) * MIB, PartitionKey="k", ExplicitHashKey="0")
    answer = api.get_records(ShardIterator=iterator(api, stream))
    first = len(answer["Records"])
    assert 5 <= first <= 10
    rest = api.get_records(ShardIterator=answer["NextShardIterator"])["Records"]
    assert [record["Data"] for record in answer["Records"] + rest] == [bytes([i]) * MIB for i in range(12)]


def test_forged_and_old_iterators(api, stream):
    at = iterator(api, stream)
    for bad in ("x", "A" * 100, at[:-4], at[:20] + ("A" if at[20] != "A" else "B") + at[21:], "*" * 40):
        fails("InvalidArgumentException", api.get_records, ShardIterator=bad, text="Invalid ShardIterator.")
    fails("ValidationException", api.get_records, ShardIterator="A" * 513)
    assert api.get_records(ShardIterator=aged(at, 290))["Records"] == []
    text = fails("ExpiredIteratorException", api.get_records, ShardIterator=aged(at, 301))
    assert re.search(r"Iterator expired\. The iterator was created at time \w{3} \w{3} \d\d [\d:]{8} UTC \d{4} while", text)


# ---- what lasts ----

def test_acknowledged_records_survive_kill_9(server):
    kinesis = server.client("kinesis")
    kinesis.create_stream(StreamName="a", ShardCount=4)
    kinesis.create_stream(StreamName="gone", ShardCount=2)
    kinesis.put_record(StreamName="gone", Data=b"x", PartitionKey="k")
    acknowledged = {}
    for round_ in range(3):
        for i in range(20):
            records = [{"Data": f"{round_} {i} {k}".encode() * 20, "PartitionKey": f"{k}"} for k in range(50)]
            answer = kinesis.put_records(StreamName="a", Records=records)
            for sent, got in zip(records, answer["Records"]):
                acknowledged[got["ShardId"], got["SequenceNumber"]] = sent["Data"]
        at = iterator(kinesis, "a", 0, "LATEST")
        if round_ == 0:
            kinesis.delete_stream(StreamName="gone")
        server.kill()
        server.start()
        assert kinesis.list_streams()["StreamNames"] == ["a"]
        found = {(shard_id(index), record["SequenceNumber"]): record["Data"]
                 for index in range(4) for record in read_shard(kinesis, "a", index)}
        assert found == acknowledged
        # an iterator outlives the restart
        assert kinesis.get_records(ShardIterator=at)["Records"] == []


def test_a_stop_answers_what_was_begun(server):
    kinesis = server.client("kinesis")
    kinesis.create_stream(StreamName="a", ShardCount=1)
    done, refused = [], []

    def put():
        while not refused:
            try:
                kinesis.put_record(StreamName="a", Data=b"x", PartitionKey="k")
                done.append(1)
            except botocore.exceptions.BotoCoreError as error:
                refused.append(error)

    threads = [threading.Thread(target=put) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    server.stop()
    for thread in threads:
        thread.join()
    server.start()
    found = len(read_all(server.client("kinesis"), "a"))
    # each thread may have had one put cut off whose answer it did not see
    assert len(done) <= found <= len(done) + 4


def test_a_full_disk_is_an_error_and_no_loss(data, tmp_path):
    server = leat.Server(data)
    plain = subprocess.Popen

    def limited(*args, **kwargs):
        return plain(*args, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (8 * MIB, 8 * MIB)), **kwargs)

    subprocess.Popen = limited
    try:
        server.start()
    finally:
        subprocess.Popen = plain
    kinesis = server.client("kinesis")
    kinesis.create_stream(StreamName="a", ShardCount=1)
    acknowledged = 0
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        while acknowledged < 100:
            kinesis.put_records(StreamName="a", Records=[{"Data": bytes(MIB), "PartitionKey": "k"}])
            acknowledged += 1
    answer = caught.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 500
    assert answer["Error"]["Code"] == "InternalFailure"
    assert 0 < acknowledged < 10
    assert kinesis.list_streams()["StreamNames"] == ["a"]
    assert len(read_all(kinesis, "a")) == acknowledged
    server.kill()
    server.start()
    assert len(read_all(kinesis, "a")) == acknowledged
    server.stop()


def test_retention_goes_up_and_down_by_its_own_calls(api, stream):
    def hours():
        return api.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"][
            "RetentionPeriodHours"]

    assert hours() == 24
    api.increase_stream_retention_period(StreamName=stream, RetentionPeriodHours=48)
    api.increase_stream_retention_period(StreamName=stream, RetentionPeriodHours=48)
    assert hours() == 48
    api.decrease_stream_retention_period(StreamName=stream, RetentionPeriodHours=30)
    assert hours() == 30
    for call, value, text in [
            (api.increase_stream_retention_period, 24, "shorter than existing"),
            (api.decrease_stream_retention_period, 48, "longer than existing"),
            (api.increase_stream_retention_period, 8761, "Maximum allowed"),
            (api.decrease_stream_retention_period, 23, "Minimum allowed")]:
        fails("InvalidArgumentException", call, StreamName=stream, RetentionPeriodHours=value,
              text=text)
    fails("ResourceNotFoundException", api.increase_stream_retention_period, StreamName="nowhere",
          RetentionPeriodHours=48)
    assert hours() == 30


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 24 MiB, where the system lets a test mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "leat-test", place],
                      capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_when_a_full_disk_has_room_again_puts_go_on(small_disk):
    server = leat.Server(small_disk / "data").start()
    kinesis = server.client("kinesis")
    kinesis.create_stream(StreamName="a", ShardCount=1)
    (small_disk / "filler").write_bytes(bytes(16 * MIB))
    acknowledged = 0
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        while acknowledged < 100:
            kinesis.put_record(StreamName="a", Data=bytes(MIB), PartitionKey="k")
            acknowledged += 1
    answer = caught.value.response
    assert (answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]) == (500, "InternalFailure")
    assert "No space left on device" in answer["Error"]["Message"]
    assert len(read_all(kinesis, "a")) == acknowledged
    (small_disk / "filler").unlink()
    for _ in range(2):
        kinesis.put_record(StreamName="a", Data=b"again", PartitionKey="k")
    server.kill()
    server.start()
    assert [len(record["Data"]) for record in read_all(kinesis, "a")] == [MIB] * acknowledged + [5, 5]
    server.stop()
