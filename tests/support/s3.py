# SPDX-License-Identifier: Apache-2.0
"""What the tests of S3 share: a client, a bucket of the test's own, and requests without a client."""
import http.client
import itertools

import botocore.exceptions
import pytest

numbers = itertools.count()


@pytest.fixture(scope="module")
def s3(shared_server):
    return shared_server.client("s3")


@pytest.fixture
def bucket(s3):
    name = f"bucket-{next(numbers)}"
    s3.create_bucket(Bucket=name)
    return name


def fails(code, status, call, **params):
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(**params)
    answer = caught.value.response
    assert answer["Error"]["Code"] == code, answer
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == status, answer
    return answer


def keys_of(answer):
    return [entry["Key"] for entry in answer.get("Contents", [])]


def prefixes_of(answer):
    return [entry["Prefix"] for entry in answer.get("CommonPrefixes", [])]


def send(server, method, path, body=b"", headers=None):
    """A request as it stands here, without a client's help: status, headers, body."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request(method, path, body, headers or {})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, answer.headers, text
