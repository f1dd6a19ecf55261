# SPDX-License-Identifier: Apache-2.0
"""What a client says of a body's bytes is compared: checksums, digests, and the aws-chunked coding."""
import base64
import hashlib
import os
import zlib

import pytest
from support.s3 import bucket, fails, s3, send  # noqa: F401


CRC32C_OF_HELLO = "mnG7TA=="
ALGORITHMS = {
    "CRC32": base64.b64encode(zlib.crc32(b"hello").to_bytes(4, "big")).decode(),
    "CRC32C": CRC32C_OF_HELLO,
    "CRC64NVME": "M3eFcAZSQlc=",
    "SHA1": base64.b64encode(hashlib.sha1(b"hello").digest()).decode(),
    "SHA256": base64.b64encode(hashlib.sha256(b"hello").digest()).decode(),
    "MD5": base64.b64encode(hashlib.md5(b"hello").digest()).decode(),
}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_checksum_is_verified_kept_and_given_back(s3, bucket, algorithm):
    name = f"Checksum{algorithm}"
    put = s3.put_object(Bucket=bucket, Key="k", Body=b"hello", **{name: ALGORITHMS[algorithm]})
    assert put[name] == ALGORITHMS[algorithm]
    head = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert head[name] == ALGORITHMS[algorithm]
    assert head["ChecksumType"] == "FULL_OBJECT"
    assert name not in s3.head_object(Bucket=bucket, Key="k")
    wrong = base64.b64encode(bytes(len(base64.b64decode(ALGORITHMS[algorithm])))).decode()
    fails("BadDigest", 400, s3.put_object, Bucket=bucket, Key="k", Body=b"other", **{name: wrong})
    fails("InvalidRequest", 400, s3.put_object, Bucket=bucket, Key="k", Body=b"other", **{name: "rubbish"})
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"hello"


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
def test_checksum_that_the_client_computes(s3, bucket, algorithm):
    s3.put_object(Bucket=bucket, Key="k", Body=b"hello", ChecksumAlgorithm=algorithm)
    answer = s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert answer["Body"].read() == b"hello"
    assert answer[f"Checksum{algorithm}"] == ALGORITHMS[algorithm]


def test_checksum_not_known_here_is_refused(s3, bucket):
    fails("NotImplemented", 501, s3.put_object, Bucket=bucket, Key="k", Body=b"x",
          ChecksumXXHASH64="AAAAAAAAAAA=")


def test_content_md5(s3, bucket):
    good = base64.b64encode(hashlib.md5(b"hello").digest()).decode()
    s3.put_object(Bucket=bucket, Key="k", Body=b"hello", ContentMD5=good)
    fails("BadDigest", 400, s3.put_object, Bucket=bucket, Key="k", Body=b"other", ContentMD5=good)
    fails("InvalidDigest", 400, s3.put_object, Bucket=bucket, Key="k", Body=b"hello", ContentMD5="bm8=")
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"hello"


def test_sha256_of_the_signature_is_compared(shared_server, bucket):
    good = hashlib.sha256(b"hello").hexdigest()
    assert send(shared_server, "PUT", f"/{bucket}/k", b"hello", {"x-amz-content-sha256": good})[0] == 200
    status, _, text = send(shared_server, "PUT", f"/{bucket}/k", b"other", {"x-amz-content-sha256": good})
    assert status == 400
    assert b"<Code>XAmzContentSHA256Mismatch</Code>" in text
    assert send(shared_server, "PUT", f"/{bucket}/k", b"x", {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"})[0] == 200


def aws_chunked(body, size, trailer="", signature=""):
    out = b""
    for at in range(0, len(body), size):
        part = body[at:at + size]
        out += f"{len(part):x}{signature}\r\n".encode() + part + b"\r\n"
    return out + f"0{signature}\r\n{trailer}\r\n".encode()


def put_chunked(server, bucket, coded, length, sha256, **more):
    return send(server, "PUT", f"/{bucket}/k", coded, {
        "x-amz-content-sha256": sha256, "x-amz-decoded-content-length": str(length),
        "Content-Encoding": "aws-chunked,gzip", **more})


def test_aws_chunked_body_is_decoded(shared_server, s3, bucket):
    body = os.urandom(300_000)
    crc = base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()
    trailer = {"x-amz-trailer": "x-amz-checksum-crc32"}
    signature = ";chunk-signature=" + "0" * 64
    for coded, sha256, headers in (
            (aws_chunked(body, 65536), "STREAMING-UNSIGNED-PAYLOAD-TRAILER", {}),
            (aws_chunked(body, 8192, signature=signature), "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", {}),
            (aws_chunked(body, 100_001, f"x-amz-checksum-crc32:{crc}\r\n"), "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
             trailer),
            (aws_chunked(body, 70_000, f"x-amz-checksum-crc32:{crc}\r\nx-amz-trailer-signature:00\r\n", signature),
             "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", trailer)):
        status, answer, text = put_chunked(shared_server, bucket, coded, len(body), sha256, **headers)
        assert status == 200, text
        assert answer.get("x-amz-checksum-crc32") == (crc if headers else None)
        back = s3.get_object(Bucket=bucket, Key="k")
        assert back["Body"].read() == body
        assert back["ContentEncoding"] == "gzip"


def test_aws_chunked_body_that_is_wrong(shared_server, s3, bucket):
    unsigned = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
    trailer = {"x-amz-trailer": "x-amz-checksum-crc32"}
    good = aws_chunked(b"hello", 5)
    for coded, length, headers, code in (
            (b"zz\r\nhello\r\n0\r\n\r\n", 5, {}, b"IncompleteBody"), (good[:-4], 5, {}, b"IncompleteBody"),
            (good[:6], 5, {}, b"IncompleteBody"), (good, 6, {}, b"IncompleteBody"),
            (good + b"more", 5, {}, b"IncompleteBody"), (b"", 5, {}, b"IncompleteBody"),
            (b"fffffffffffffffff\r\n", 5, {}, b"IncompleteBody"), (b"5" * 100_000, 5, {}, b"IncompleteBody"),
            (good, 5, trailer, b"InvalidRequest"),
            (aws_chunked(b"hello", 5, "x-amz-checksum-crc32:AAAAAA==\r\n"), 5, trailer, b"BadDigest")):
        status, _, text = put_chunked(shared_server, bucket, coded, length, unsigned, **headers)
        assert status == 400
        assert b"<Code>" + code + b"</Code>" in text, (coded[:40], text)
    fails("NoSuchKey", 404, s3.get_object, Bucket=bucket, Key="k")
    assert list((shared_server.data / "tmp").iterdir()) == []
