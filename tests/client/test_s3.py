# SPDX-License-Identifier: Apache-2.0
"""What S3 does not do here, requests that are not well-formed, and crashes."""
import http.client
import threading

import pytest
from support.s3 import bucket, fails, keys_of, s3, send  # noqa: F401


@pytest.mark.parametrize("operation, params", [
    ("get_bucket_versioning", {}), ("get_bucket_acl", {}), ("get_object_tagging", {"Key": "k"}),
    ("create_multipart_upload", {"Key": "k"}), ("list_object_versions", {}),
    ("put_bucket_policy", {"Policy": "{}"}), ("delete_bucket_cors", {}),
])
def test_what_is_not_implemented_says_so(s3, bucket, operation, params):
    fails("NotImplemented", 501, getattr(s3, operation), Bucket=bucket, **params)
    s3.head_bucket(Bucket=bucket)


def test_methods_that_are_not_allowed(shared_server, bucket):
    for method, path in (("PATCH", f"/{bucket}/k"), ("PUT", "/"), ("DELETE", "/"), ("OPTIONS", f"/{bucket}")):
        status, _, text = send(shared_server, method, path)
        assert status == 405 and b"<Code>MethodNotAllowed</Code>" in text
    status, _, text = send(shared_server, "POST", f"/{bucket}", b"form")
    assert status == 501 and b"<Code>NotImplemented</Code>" in text


def test_uris_that_cannot_be_read(shared_server, bucket):
    for path in (f"/{bucket}/%zz", f"/{bucket}/%ff%fe", f"/{bucket}/%", f"/{bucket}/%ed%a0%80", f"/{bucket}/%c0%80"):
        status, _, text = send(shared_server, "GET", path)
        assert status == 400 and b"<Code>InvalidURI</Code>" in text


def test_body_over_five_gigabytes_is_refused_before_it_is_sent(shared_server, bucket):
    connection = http.client.HTTPConnection("127.0.0.1", shared_server.port, timeout=30)
    connection.putrequest("PUT", f"/{bucket}/k")
    connection.putheader("Content-Length", str((5 << 30) + 1))
    connection.putheader("Expect", "100-continue")
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 400 and b"<Code>EntityTooLarge</Code>" in answer.read()
    connection.close()


def test_every_answer_has_a_request_id(shared_server, s3, bucket):
    seen = set()
    for method, path in (("GET", f"/{bucket}"), ("GET", f"/{bucket}/none"), ("PUT", f"/{bucket}/k"), ("BREW", "/x")):
        seen.add(send(shared_server, method, path)[1]["x-amz-request-id"])
    assert len(seen) == 4 and None not in seen


def test_client_that_leaves_in_its_upload_leaves_nothing(shared_server, s3, bucket):
    connection = http.client.HTTPConnection("127.0.0.1", shared_server.port, timeout=30)
    connection.putrequest("PUT", f"/{bucket}/k")
    connection.putheader("Content-Length", "1000000")
    connection.endheaders()
    connection.send(b"x" * 500_000)
    connection.close()
    for _ in range(200):
        if not list((shared_server.data / "tmp").iterdir()):
            break
        threading.Event().wait(0.05)
    assert list((shared_server.data / "tmp").iterdir()) == [], shared_server.picture()
    fails("NoSuchKey", 404, s3.get_object, Bucket=bucket, Key="k")


def test_objects_outlast_kill_9(server, s3):
    client = server.client("s3")
    client.create_bucket(Bucket="kept")
    for i in range(30):
        client.put_object(Bucket="kept", Key=f"k/{i % 10}", Body=str(i).encode() * 1000, Metadata={"i": str(i)})
    server.kill()
    server.start()
    assert len(keys_of(client.list_objects_v2(Bucket="kept"))) == 10
    for i in range(20, 30):
        answer = client.get_object(Bucket="kept", Key=f"k/{i % 10}")
        assert answer["Body"].read() == str(i).encode() * 1000 and answer["Metadata"] == {"i": str(i)}
