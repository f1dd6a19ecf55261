# SPDX-License-Identifier: Apache-2.0
"""What tests of the Kinesis API share: requests as they come, errors, reading shards, old tokens."""
import base64
import hashlib
import hmac
import json
import struct

import botocore.exceptions
import pytest
import requests

MIB = 1 << 20
MAX_HASH_KEY = 2**128 - 1
names = (f"s{i}" for i in range(1, 1 << 30))


def raw(server, operation, body, **headers):
    """A request as it comes, without a client's own checks."""
    return requests.post(server.url + "/", timeout=30,
                         data=body if isinstance(body, (str, bytes)) else json.dumps(body),
                         headers={"Content-Type": "application/x-amz-json-1.1",
                                  "X-Amz-Target": f"Kinesis_20131202.{operation}", **headers})


def fails(code, call, *args, text=None, status=400, **kwargs):
    """The call fails with this code; returns the message."""
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(*args, **kwargs)
    answer = caught.value.response
    assert answer["Error"]["Code"] == code, answer["Error"]
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == status
    if text is not None:
        assert text in answer["Error"]["Message"]
    return answer["Error"]["Message"]


def shard_id(index):
    return f"shardId-{index:012}"


def iterator(api, stream, index=0, kind="TRIM_HORIZON", **more):
    return api.get_shard_iterator(StreamName=stream, ShardId=shard_id(index),
                                  ShardIteratorType=kind, **more)["ShardIterator"]


def read_shard(api, stream, index, kind="TRIM_HORIZON", **more):
    records, at = [], iterator(api, stream, index, kind, **more)
    while True:
        answer = api.get_records(ShardIterator=at)
        records += answer["Records"]
        if not answer["Records"] or answer["MillisBehindLatest"] == 0:
            return records
        at = answer["NextShardIterator"]


def read_all(api, stream):
    n = api.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]["OpenShardCount"]
    return [record for index in range(n) for record in read_shard(api, stream, index)]


def shard_of(key, n):
    width = 2**128 // n
    return min(int(hashlib.md5(key.encode()).hexdigest(), 16) // width, n - 1)


def sign_token(blob):
    """As the engine does: a test may make a token that is old."""
    return base64.b64encode(blob + hmac.digest(b"leat kinesis token", blob, "sha256")[:16]).decode()


def aged(token, seconds):
    blob = base64.b64decode(token)[:-16]
    made = struct.unpack("<q", blob[2:10])[0]
    return sign_token(blob[:2] + struct.pack("<q", made - seconds * 1000) + blob[10:])
