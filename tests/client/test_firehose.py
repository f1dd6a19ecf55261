# SPDX-License-Identifier: Apache-2.0
"""Firehose with boto3 and awscli: every operation, each documented error, and what lands in buckets."""
import collections
import gzip
import json
import random
import re
import threading
import time

import pytest
import requests
from botocore.exceptions import BotoCoreError, ClientError

from support import leat
from support.leat import Server

ROLE = "arn:aws:iam::000000000000:role/leat"
UNIQUE = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
STAMP = r"\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d"
NEWLINE = {"Enabled": True, "Processors": [{"Type": "AppendDelimiterToRecord", "Parameters": [
    {"ParameterName": "Delimiter", "ParameterValue": "\\n"}]}]}


def destination(bucket="lake", seconds=0, mib=1, **more):
    return {"RoleARN": ROLE, "BucketARN": f"arn:aws:s3:::{bucket}",
            "BufferingHints": {"SizeInMBs": mib, "IntervalInSeconds": seconds}, **more}


def create(firehose, name, stream=None, **more):
    """An extended S3 delivery, of records put directly or of a Kinesis stream."""
    source = {}
    if stream:
        source = {"DeliveryStreamType": "KinesisStreamAsSource", "KinesisStreamSourceConfiguration": {
            "KinesisStreamARN": f"arn:aws:kinesis:us-east-1:000000000000:stream/{stream}", "RoleARN": ROLE}}
    return firehose.create_delivery_stream(
        DeliveryStreamName=name, ExtendedS3DestinationConfiguration=destination(**more), **source)


def refused(code, call, **parameters):
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    assert caught.value.response["Error"]["Code"] == code
    return caught.value.response["Error"]["Message"]


def objects(s3, bucket="lake", prefix=""):
    """Key and bytes of all objects."""
    found = {}
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Contents", []):
            found[item["Key"]] = s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()
    return found


def wait_for(test, timeout_s=20):
    deadline = time.monotonic() + timeout_s * leat.SLOW
    while True:
        value = test()
        if value:
            return value
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.05)


def status(server, name):
    answer = requests.get(server.url + "/_leat/status", timeout=10).json()
    return next(item for item in answer["deliveries"] if item["name"] == name)


def flush(server, name, timeout_ms=20000):
    return requests.post(server.url + "/_leat/flush", timeout=60,
                         params={"delivery": name, "timeout_ms": timeout_ms})


@pytest.fixture
def lake(s3):
    s3.create_bucket(Bucket="lake")
    return "lake"


# The API

def test_create_answers_the_arn_and_the_stream_is_active(firehose):
    answer = create(firehose, "us")
    assert answer["DeliveryStreamARN"] == "arn:aws:firehose:us-east-1:000000000000:deliverystream/us"
    found = firehose.describe_delivery_stream(DeliveryStreamName="us")["DeliveryStreamDescription"]
    assert found["DeliveryStreamStatus"] == "ACTIVE"
    assert found["DeliveryStreamARN"] == answer["DeliveryStreamARN"]
    assert found["DeliveryStreamType"] == "DirectPut"
    assert found["VersionId"] == "1"
    assert found["HasMoreDestinations"] is False
    assert abs(found["CreateTimestamp"].timestamp() - time.time()) < 60
    assert "Source" not in found


def test_describe_shows_what_was_asked_for(firehose):
    asked = destination(seconds=60, mib=5, Prefix="a/!{timestamp:yyyy}/", ErrorOutputPrefix="e/!{firehose:error-output-type}/",
                        CompressionFormat="GZIP", FileExtension=".json.gz", CustomTimeZone="UTC",
                        ProcessingConfiguration=NEWLINE, CloudWatchLoggingOptions={"Enabled": False})
    firehose.create_delivery_stream(DeliveryStreamName="us", ExtendedS3DestinationConfiguration=asked)
    found = firehose.describe_delivery_stream(DeliveryStreamName="us")["DeliveryStreamDescription"]
    [place] = found["Destinations"]
    assert place["DestinationId"] == "destinationId-000000000001"
    shown = place["ExtendedS3DestinationDescription"]
    for key, value in asked.items():
        assert shown[key] == value
    assert shown["EncryptionConfiguration"] == {"NoEncryptionConfig": "NoEncryption"}
    assert shown["S3BackupMode"] == "Disabled"
    for key in ("RoleARN", "BucketARN", "Prefix", "ErrorOutputPrefix", "BufferingHints", "CompressionFormat"):
        assert place["S3DestinationDescription"][key] == asked[key]


def test_describe_after_a_restart_is_the_same(server, firehose, kinesis):
    kinesis.create_stream(StreamName="sessions", ShardCount=2)
    create(firehose, "us", stream="sessions", Prefix="p/")
    before = firehose.describe_delivery_stream(DeliveryStreamName="us")["DeliveryStreamDescription"]
    server.stop()
    server.start()
    after = firehose.describe_delivery_stream(DeliveryStreamName="us")["DeliveryStreamDescription"]
    assert before == after
    source = after["Source"]["KinesisStreamSourceDescription"]
    assert source["KinesisStreamARN"].endswith(":stream/sessions")
    assert source["RoleARN"] == ROLE
    assert source["DeliveryStartTimestamp"] == after["CreateTimestamp"]


def test_the_old_s3_configuration_and_its_defaults(firehose):
    firehose.create_delivery_stream(DeliveryStreamName="old", S3DestinationConfiguration={
        "RoleARN": ROLE, "BucketARN": "arn:aws:s3:::lake"})
    [place] = firehose.describe_delivery_stream(
        DeliveryStreamName="old")["DeliveryStreamDescription"]["Destinations"]
    for kind in ("S3DestinationDescription", "ExtendedS3DestinationDescription"):
        assert place[kind]["BufferingHints"] == {"SizeInMBs": 5, "IntervalInSeconds": 300}
        assert place[kind]["CompressionFormat"] == "UNCOMPRESSED"


def test_list_pages_by_name_and_filters_by_type(firehose, kinesis):
    kinesis.create_stream(StreamName="sessions", ShardCount=1)
    for i in range(12):
        create(firehose, f"d{i:02}", stream="sessions" if i % 3 == 0 else None)
    first = firehose.list_delivery_streams()
    assert first["DeliveryStreamNames"] == [f"d{i:02}" for i in range(10)]
    assert first["HasMoreDeliveryStreams"] is True
    rest = firehose.list_delivery_streams(ExclusiveStartDeliveryStreamName="d09")
    assert rest["DeliveryStreamNames"] == ["d10", "d11"]
    assert rest["HasMoreDeliveryStreams"] is False
    from_streams = firehose.list_delivery_streams(DeliveryStreamType="KinesisStreamAsSource", Limit=3)
    assert from_streams["DeliveryStreamNames"] == ["d00", "d03", "d06"]
    assert from_streams["HasMoreDeliveryStreams"] is True
    assert firehose.list_delivery_streams(
        DeliveryStreamType="DirectPut", ExclusiveStartDeliveryStreamName="d09")["DeliveryStreamNames"] == ["d10", "d11"]
    assert kinesis.list_streams()["StreamNames"] == ["sessions"]


def test_delete_removes_it_and_its_name_can_be_used_again(server, firehose, s3, lake):
    create(firehose, "us")
    firehose.put_record(DeliveryStreamName="us", Record={"Data": b"one"})
    wait_for(lambda: objects(s3))
    firehose.delete_delivery_stream(DeliveryStreamName="us", AllowForceDelete=True)
    refused("ResourceNotFoundException", firehose.describe_delivery_stream, DeliveryStreamName="us")
    assert firehose.list_delivery_streams()["DeliveryStreamNames"] == []
    create(firehose, "us")
    firehose.put_record(DeliveryStreamName="us", Record={"Data": b"two"})
    assert flush(server, "us").status_code == 200
    assert sorted(objects(s3).values()) == [b"one", b"two"]


def test_unknown_streams_are_not_found(firehose):
    message = "Firehose nothing under account 000000000000 not found."
    for call, more in ((firehose.describe_delivery_stream, {}), (firehose.delete_delivery_stream, {}),
                       (firehose.put_record, {"Record": {"Data": b"x"}}),
                       (firehose.put_record_batch, {"Records": [{"Data": b"x"}]})):
        assert refused("ResourceNotFoundException", call, DeliveryStreamName="nothing", **more) == message


def test_a_name_that_is_taken_is_in_use(firehose):
    create(firehose, "us")
    with pytest.raises(ClientError) as caught:
        create(firehose, "us")
    assert caught.value.response["Error"]["Code"] == "ResourceInUseException"


@pytest.mark.parametrize("more, reason", [
    ({"CompressionFormat": "ZIP"}, "CompressionFormat"),
    ({"CompressionFormat": "Snappy"}, "CompressionFormat"),
    ({"CompressionFormat": "HADOOP_SNAPPY"}, "CompressionFormat"),
    ({"S3BackupMode": "Enabled", "S3BackupConfiguration": {"RoleARN": ROLE, "BucketARN": "arn:aws:s3:::b"}}, "S3BackupMode"),
    ({"DataFormatConversionConfiguration": {"Enabled": True}}, "DataFormatConversionConfiguration"),
    ({"DynamicPartitioningConfiguration": {"Enabled": True}}, "DynamicPartitioningConfiguration"),
    ({"EncryptionConfiguration": {"KMSEncryptionConfig": {"AWSKMSKeyARN": "arn:aws:kms:us-east-1:000000000000:key/x"}}}, "KMSEncryptionConfig"),
    ({"CustomTimeZone": "Asia/Tokyo"}, "CustomTimeZone"),
    ({"ProcessingConfiguration": {"Enabled": True, "Processors": [{"Type": "Lambda", "Parameters": [
        {"ParameterName": "LambdaArn", "ParameterValue": "arn:aws:lambda:us-east-1:000000000000:function:f"}]}]}}, "Lambda"),
    ({"ProcessingConfiguration": {"Enabled": True, "Processors": [{"Type": "AppendDelimiterToRecord", "Parameters": [
        {"ParameterName": "Delimiter", "ParameterValue": "|"}]}]}}, "Delimiter"),
    ({"Prefix": "!{timestamp:yyyy}/"}, "ErrorOutputPrefix cannot be null or empty when Prefix contains expressions"),
    ({"Prefix": "!{timestamp:bbbb}/", "ErrorOutputPrefix": "e/"}, "Unknown pattern letter: b"),
    ({"Prefix": "!{firehose:error-output-type}/", "ErrorOutputPrefix": "e/"}, "Prefix cannot contain"),
    ({"Prefix": "a/!{yyyy}/", "ErrorOutputPrefix": "e/"}, "!{namespace:value}"),
    ({"ErrorOutputPrefix": "e/!{timestamp:yyyy}/"}, "at least one instance"),
    ({"Prefix": "x" * 510}, "512"),
    ({"BufferingHints": {"SizeInMBs": 5}}, "BufferingHints"),
])
def test_what_is_not_done_is_refused_by_name(shared_server, more, reason):
    firehose = shared_server.client("firehose")
    asked = {**destination(), **more}
    message = refused("InvalidArgumentException", firehose.create_delivery_stream, DeliveryStreamName="refused",
                      ExtendedS3DestinationConfiguration=asked)
    assert reason in message
    assert firehose.list_delivery_streams()["DeliveryStreamNames"] == []


def test_sources_and_destinations_that_do_not_fit_are_refused(shared_server):
    firehose = shared_server.client("firehose")

    def create_with(**more):
        return refused("InvalidArgumentException", firehose.create_delivery_stream, DeliveryStreamName="refused", **more)

    assert "Exactly one destination" in create_with()
    assert "Exactly one destination" in create_with(
        S3DestinationConfiguration={"RoleARN": ROLE, "BucketARN": "arn:aws:s3:::lake"},
        ExtendedS3DestinationConfiguration=destination())
    assert "HttpEndpointDestinationConfiguration" in create_with(HttpEndpointDestinationConfiguration={
        "EndpointConfiguration": {"Url": "https://x"}, "S3Configuration": {"RoleARN": ROLE, "BucketARN": "arn:aws:s3:::b"}})
    assert "KinesisStreamSourceConfiguration is required" in create_with(
        DeliveryStreamType="KinesisStreamAsSource", ExtendedS3DestinationConfiguration=destination())
    source = {"KinesisStreamARN": "arn:aws:kinesis:us-east-1:000000000000:stream/nothing", "RoleARN": ROLE}
    assert "only applicable" in create_with(
        KinesisStreamSourceConfiguration=source, ExtendedS3DestinationConfiguration=destination())
    assert "Stream nothing under account 000000000000 not found." in create_with(
        DeliveryStreamType="KinesisStreamAsSource", KinesisStreamSourceConfiguration=source,
        ExtendedS3DestinationConfiguration=destination())
    assert "MSKAsSource" in create_with(
        DeliveryStreamType="MSKAsSource", ExtendedS3DestinationConfiguration=destination())


def test_values_out_of_range_fail_validation(server):
    firehose = server.client("firehose", parameter_validation=False)
    for more in ({"BufferingHints": {"SizeInMBs": 129, "IntervalInSeconds": 0}},
                 {"BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 901}},
                 {"BucketARN": "lake"}, {"RoleARN": "leat"}, {"FileExtension": "gz"}, {"FileExtension": ".GZ"},
                 {"CompressionFormat": "LZ4"}, {"Prefix": "x" * 1025}):
        refused("ValidationException", firehose.create_delivery_stream, DeliveryStreamName="x",
                ExtendedS3DestinationConfiguration={**destination(), **more})
    refused("ValidationException", firehose.create_delivery_stream, DeliveryStreamName="no spaces",
            ExtendedS3DestinationConfiguration=destination())
    refused("ValidationException", firehose.create_delivery_stream,
            ExtendedS3DestinationConfiguration=destination())
    refused("ValidationException", firehose.list_delivery_streams, Limit=0)
    refused("ValidationException", firehose.describe_delivery_stream, DeliveryStreamName="x" * 65)


def test_put_limits_are_the_services(server):
    firehose = server.client("firehose", parameter_validation=False)
    create(firehose, "us", seconds=900, mib=128)
    put, batch = firehose.put_record, firehose.put_record_batch
    assert put(DeliveryStreamName="us", Record={"Data": b"x" * 1024000})["RecordId"]
    refused("ValidationException", put, DeliveryStreamName="us", Record={"Data": b"x" * 1024001})
    refused("ValidationException", put, DeliveryStreamName="us", Record={})
    refused("ValidationException", batch, DeliveryStreamName="us", Records=[])
    refused("ValidationException", batch, DeliveryStreamName="us", Records=[{"Data": b"x"}] * 501)
    assert "4 MB" in refused("InvalidArgumentException", batch, DeliveryStreamName="us",
                             Records=[{"Data": b"x" * 1000000}] * 5)
    answer = batch(DeliveryStreamName="us", Records=[{"Data": b"x" * 1000000}] * 4)
    assert answer["FailedPutCount"] == 0
    assert len({item["RecordId"] for item in answer["RequestResponses"]}) == 4


def test_put_to_a_delivery_of_a_stream_is_refused(firehose, kinesis):
    kinesis.create_stream(StreamName="sessions", ShardCount=1)
    create(firehose, "us", stream="sessions")
    message = refused("InvalidArgumentException", firehose.put_record, DeliveryStreamName="us", Record={"Data": b"x"})
    assert message == "This operation is not permitted on KinesisStreamAsSource delivery stream type."


# What lands

def test_records_land_joined_under_the_default_key(server, firehose, s3, lake):
    create(firehose, "us", seconds=900, Prefix="sessions/")
    for data in (b"one,", b"", b"two,", bytes(range(256))):
        firehose.put_record(DeliveryStreamName="us", Record={"Data": data})
    assert flush(server, "us").status_code == 200
    [(key, body)] = objects(s3).items()
    assert body == b"one,two," + bytes(range(256))
    assert re.fullmatch(rf"sessions/\d{{4}}/\d\d/\d\d/\d\d/us-1-{STAMP}-{UNIQUE}", key)
    date = re.search(rf"({STAMP})", key)[1]
    assert key.startswith("sessions/" + "/".join(date.split("-")[:4]) + "/")


def test_prefix_expressions_and_file_extension(server, firehose, s3, lake):
    create(firehose, "us", Prefix="y=!{timestamp:yyyy}/d=!{timestamp:DDD}/!{timestamp:'day-'EEE}/!{firehose:random-string}/",
           ErrorOutputPrefix="errors/!{firehose:error-output-type}/", FileExtension=".jsonl")
    firehose.put_record(DeliveryStreamName="us", Record={"Data": b"x"})
    assert flush(server, "us").status_code == 200
    [key] = objects(s3)
    assert re.fullmatch(rf"y=\d{{4}}/d=\d{{3}}/day-(Mon|Tue|Wed|Thu|Fri|Sat|Sun)/[0-9a-f]{{8}}-[0-9a-f]{{2}}/us-1-{STAMP}-{UNIQUE}\.jsonl", key)


def test_gzip_and_line_ends(server, firehose, s3, lake):
    create(firehose, "us", seconds=900, CompressionFormat="GZIP", ProcessingConfiguration=NEWLINE)
    lines = [json.dumps({"n": i}).encode() for i in range(1000)]
    for i in range(0, 1000, 500):
        firehose.put_record_batch(DeliveryStreamName="us", Records=[{"Data": line} for line in lines[i:i + 500]])
    assert flush(server, "us").status_code == 200
    [(key, body)] = objects(s3).items()
    assert key.endswith(".gz")
    assert gzip.decompress(body).splitlines() == lines
    assert s3.head_object(Bucket="lake", Key=key)["ContentEncoding"] == "gzip"
    file = server.data / "buckets" / "lake" / key
    assert gzip.open(file).read() == b"".join(line + b"\n" for line in lines)


def test_buffer_goes_out_when_its_size_is_reached(firehose, s3, lake):
    create(firehose, "us", seconds=900, mib=1)
    for _ in range(5):
        firehose.put_record(DeliveryStreamName="us", Record={"Data": b"x" * 300000})
    found = wait_for(lambda: objects(s3))
    assert [len(body) for body in found.values()] == [900000]
    time.sleep(0.3)
    assert len(objects(s3)) == 1


def test_buffer_goes_out_when_its_interval_has_passed(firehose, s3, lake):
    create(firehose, "us", seconds=2, mib=128)
    start = time.monotonic()
    firehose.put_record(DeliveryStreamName="us", Record={"Data": b"a"})
    time.sleep(0.5)
    firehose.put_record(DeliveryStreamName="us", Record={"Data": b"b"})
    found = wait_for(lambda: objects(s3))
    assert 1.9 < time.monotonic() - start < 6 * leat.SLOW
    assert list(found.values()) == [b"ab"]


def test_a_stream_is_delivered_from_the_creation_of_its_delivery_on(server, firehose, kinesis, s3, lake):
    kinesis.create_stream(StreamName="sessions", ShardCount=4)
    kinesis.put_records(StreamName="sessions", Records=[{"Data": b"early;", "PartitionKey": str(i)} for i in range(20)])
    create(firehose, "us", stream="sessions")
    expected = collections.Counter()
    for i in range(50):
        records = [{"Data": f"{i}-{k};".encode(), "PartitionKey": str(k)} for k in range(20)]
        kinesis.put_records(StreamName="sessions", Records=records)
        expected.update(record["Data"] for record in records)
    assert flush(server, "us").status_code == 200
    found = objects(s3)
    got = collections.Counter(part + b";" for body in found.values() for part in body.split(b";")[:-1])
    assert got == expected
    shown = status(server, "us")
    assert shown["records"] == 1000
    assert shown["lag_records"] == 0
    assert shown["objects"] == len(found)
    assert shown["source"] == "sessions"


def test_records_of_a_key_stay_in_order(server, firehose, kinesis, s3, lake):
    kinesis.create_stream(StreamName="sessions", ShardCount=4)
    create(firehose, "us", stream="sessions")
    for i in range(30):
        for k in range(5):
            kinesis.put_record(StreamName="sessions", PartitionKey=f"key{k}", Data=f"{k}:{i};".encode())
    assert flush(server, "us").status_code == 200
    for body in objects(s3).values():
        seen = collections.defaultdict(list)
        for part in body.decode().split(";")[:-1]:
            k, i = part.split(":")
            seen[k].append(int(i))
        for numbers in seen.values():
            assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_a_missing_bucket_is_waited_for_and_shown(server, firehose, s3):
    create(firehose, "us")
    firehose.put_record(DeliveryStreamName="us", Record={"Data": b"patience"})
    shown = wait_for(lambda: status(server, "us")["errors"] and status(server, "us"))
    assert "lake" in shown["last_error"]
    assert shown["lag_records"] == 1
    answer = flush(server, "us")
    assert answer.status_code >= 400
    s3.create_bucket(Bucket="lake")
    assert flush(server, "us").status_code == 200
    assert list(objects(s3).values()) == [b"patience"]
    assert status(server, "us")["last_error"] is None


def test_metrics_of_a_delivery(server, firehose, s3, lake):
    create(firehose, "us")
    firehose.put_record_batch(DeliveryStreamName="us", Records=[{"Data": b"12345"}] * 3)
    assert flush(server, "us").status_code == 200
    lines = requests.get(server.url + "/metrics", timeout=10).text.splitlines()
    assert 'leat_delivery_records_total{delivery="us"} 3' in lines
    assert 'leat_delivery_bytes_total{delivery="us"} 15' in lines
    assert 'leat_delivery_lag_records{delivery="us"} 0' in lines
    assert 'leat_delivery_buffer_bytes{delivery="us"} 0' in lines
    assert any(line.startswith('leat_delivery_objects_total{delivery="us"} ') for line in lines)


def test_what_is_buffered_at_a_stop_is_delivered_after_the_next_start(server, firehose, s3, lake):
    create(firehose, "us", seconds=900)
    firehose.put_record(DeliveryStreamName="us", Record={"Data": b"kept"})
    time.sleep(0.2)
    server.stop()
    server.start()
    assert flush(server, "us").status_code == 200
    assert b"".join(objects(s3).values()) == b"kept"


def test_a_source_that_is_removed_is_shown(server, firehose, kinesis, s3, lake):
    kinesis.create_stream(StreamName="sessions", ShardCount=1)
    create(firehose, "us", stream="sessions")
    kinesis.put_record(StreamName="sessions", PartitionKey="k", Data=b"before;")
    assert flush(server, "us").status_code == 200
    kinesis.delete_stream(StreamName="sessions")
    create(firehose, "other")
    firehose.put_record(DeliveryStreamName="other", Record={"Data": b"wakes the pumps"})
    wait_for(lambda: "sessions" in (status(server, "us")["last_error"] or ""))
    kinesis.create_stream(StreamName="sessions", ShardCount=1)
    kinesis.put_record(StreamName="sessions", PartitionKey="k", Data=b"after;")
    wait_for(lambda: b"after;" in b"".join(objects(s3).values()))
    assert status(server, "us")["last_error"] is None


# awscli

def test_awscli_creates_puts_and_describes(server, s3, lake):
    server.aws("firehose", "create-delivery-stream", "--delivery-stream-name", "cli",
               "--extended-s3-destination-configuration",
               json.dumps(destination(Prefix="cli/")))
    answer = server.aws("firehose", "put-record", "--delivery-stream-name", "cli", "--cli-binary-format",
                        "raw-in-base64-out", "--record", json.dumps({"Data": "hello"}), code=None)
    if answer.returncode:  # awscli 1 takes text as it is
        answer = server.aws("firehose", "put-record", "--delivery-stream-name", "cli", "--record",
                            json.dumps({"Data": "hello"}))
    assert json.loads(answer.stdout)["RecordId"]
    described = json.loads(server.aws("firehose", "describe-delivery-stream", "--delivery-stream-name", "cli").stdout)
    assert described["DeliveryStreamDescription"]["DeliveryStreamStatus"] == "ACTIVE"
    assert json.loads(server.aws("firehose", "list-delivery-streams").stdout)["DeliveryStreamNames"] == ["cli"]
    found = wait_for(lambda: objects(s3))
    assert list(found.values()) == [b"hello"]
    server.aws("firehose", "delete-delivery-stream", "--delivery-stream-name", "cli")
    gone = server.aws("firehose", "describe-delivery-stream", "--delivery-stream-name", "cli", code=None)
    assert gone.returncode != 0
    assert "ResourceNotFoundException" in gone.stderr


# Crashes

class Producer(threading.Thread):
    """Puts numbered records until it is told to stop; knows which ones were acknowledged."""

    def __init__(self, server, put):
        super().__init__(daemon=True)
        self.server, self.put = server, put
        self.acknowledged, self.uncertain = set(), set()
        self.number = 0
        self.stopping = threading.Event()

    def run(self):
        while not self.stopping.is_set():
            batch = list(range(self.number, self.number + 40))
            self.number += 40
            try:
                if self.put([f"{n:08};".encode() * 20 for n in batch]):
                    self.acknowledged.update(batch)
                else:
                    self.uncertain.update(batch)
            except (ClientError, BotoCoreError):
                self.uncertain.update(batch)
                time.sleep(0.02)


@pytest.mark.parametrize("compression", ["UNCOMPRESSED", "GZIP"])
def test_ten_kills_lose_no_record_and_double_none(data, compression):
    rng = random.Random(7)
    server = Server(data, env={"LEAT_TEST": "1"}).start()
    try:
        server.client("s3").create_bucket(Bucket="lake")
        server.client("kinesis").create_stream(StreamName="sessions", ShardCount=3)
        firehose = server.client("firehose")
        create(firehose, "direct", CompressionFormat=compression)
        create(firehose, "streamed", stream="sessions", CompressionFormat=compression, seconds=1)
        clients = {"connect_timeout": 1, "read_timeout": 5}
        kinesis = server.client("kinesis", **clients)
        direct = server.client("firehose", **clients)

        def put_direct(records):
            answer = direct.put_record_batch(DeliveryStreamName="direct", Records=[{"Data": r} for r in records])
            return answer["FailedPutCount"] == 0

        def put_streamed(records):
            answer = kinesis.put_records(StreamName="sessions", Records=[
                {"Data": r, "PartitionKey": str(i)} for i, r in enumerate(records)])
            return answer["FailedRecordCount"] == 0

        producers = {"direct": Producer(server, put_direct), "streamed": Producer(server, put_streamed)}
        for producer in producers.values():
            producer.start()
        for _ in range(10):
            time.sleep(rng.uniform(0.05, 0.8) * leat.SLOW)
            server.kill()
            server.start()
        for producer in producers.values():
            producer.stopping.set()
            producer.join()
        for name, producer in producers.items():
            assert flush(server, name, 60000).status_code == 200
            got = collections.Counter()
            for key, body in objects(server.client("s3")).items():
                if f"/{name}-1-" not in key:
                    continue
                body = gzip.decompress(body) if compression == "GZIP" else body
                parts = body.split(b";")
                assert parts.pop() == b""
                got.update(int(part) for part in parts)
            assert set(got.values()) <= {20}, f"{name}: a record is there twice or in part"
            assert producer.acknowledged <= set(got), f"{name}: lost {len(producer.acknowledged - set(got))}"
            assert set(got) <= producer.acknowledged | producer.uncertain
            assert len(producer.acknowledged) > 100
            assert status(server, name)["records"] == len(got)
    finally:
        server.stop()
