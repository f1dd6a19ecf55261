# SPDX-License-Identifier: Apache-2.0
"""S3 by boto3 over a socket: each operation, each documented error, and the keys that hurt."""
import base64
import datetime
import hashlib
import http.client
import itertools
import os
import threading
import zlib

import boto3.s3.transfer
import botocore.exceptions
import pytest
from support import leat

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


# Buckets


def test_create_head_list_and_delete_bucket(s3):
    made = s3.create_bucket(Bucket="first-bucket")
    assert made["Location"] == "/first-bucket"
    head = s3.head_bucket(Bucket="first-bucket")
    assert head["BucketRegion"] == "us-east-1"
    listed = s3.list_buckets()
    entry = next(b for b in listed["Buckets"] if b["Name"] == "first-bucket")
    age = datetime.datetime.now(datetime.timezone.utc) - entry["CreationDate"]
    assert abs(age) < datetime.timedelta(minutes=5)
    assert listed["Owner"]["ID"]
    s3.delete_bucket(Bucket="first-bucket")
    fails("404", 404, s3.head_bucket, Bucket="first-bucket")
    fails("NoSuchBucket", 404, s3.delete_bucket, Bucket="first-bucket")


def test_list_buckets_in_order_by_prefix_and_in_pages(s3):
    names = [f"pages-{i}" for i in range(5)]
    for name in reversed(names):
        s3.create_bucket(Bucket=name)
    assert [b["Name"] for b in s3.list_buckets(Prefix="pages-")["Buckets"]] == names
    pages = s3.get_paginator("list_buckets").paginate(
        Prefix="pages-", PaginationConfig={"PageSize": 2})
    assert [[b["Name"] for b in page["Buckets"]] for page in pages] == [names[:2], names[2:4], names[4:]]


def test_create_bucket_again_is_fine_in_us_east_1_and_an_error_elsewhere(s3):
    s3.create_bucket(Bucket="again")
    s3.create_bucket(Bucket="again")
    there = {"LocationConstraint": "eu-west-1"}
    s3.create_bucket(Bucket="again-eu", CreateBucketConfiguration=there)
    fails("BucketAlreadyOwnedByYou", 409, s3.create_bucket, Bucket="again-eu",
          CreateBucketConfiguration=there)
    assert s3.get_bucket_location(Bucket="again-eu")["LocationConstraint"] == "eu-west-1"
    assert s3.head_bucket(Bucket="again-eu")["BucketRegion"] == "eu-west-1"
    assert s3.get_bucket_location(Bucket="again")["LocationConstraint"] is None


@pytest.mark.parametrize("name", ["ab", "UPPER", "under_score", "-start", "end-", "a..b", "a" * 64,
                                  "192.168.5.4", "xn--a"])
def test_bucket_name_that_is_not_valid(s3, name):
    fails("InvalidBucketName", 400, s3.create_bucket, Bucket=name)
    fails("InvalidBucketName", 400, s3.list_objects_v2, Bucket=name)


def test_create_bucket_with_a_bad_document(shared_server):
    for body, code in ((b"<CreateBucketConfiguration>", b"MalformedXML"), (b"junk", b"MalformedXML"),
                       (b"<CreateBucketConfiguration><LocationConstraint>no where</LocationConstraint>"
                        b"</CreateBucketConfiguration>", b"InvalidLocationConstraint")):
        status, _, text = send(shared_server, "PUT", "/bad-document", body)
        assert status == 400
        assert b"<Code>" + code + b"</Code>" in text


def test_delete_bucket_that_is_not_empty(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    fails("BucketNotEmpty", 409, s3.delete_bucket, Bucket=bucket)
    s3.delete_object(Bucket=bucket, Key="k")
    s3.delete_bucket(Bucket=bucket)


@pytest.mark.parametrize("operation, params", [
    ("list_objects", {}), ("list_objects_v2", {}), ("get_bucket_location", {}),
    ("get_object", {"Key": "k"}), ("delete_object", {"Key": "k"}),
    ("put_object", {"Key": "k", "Body": b"x"}), ("delete_bucket", {}),
    ("delete_objects", {"Delete": {"Objects": [{"Key": "k"}]}}),
    ("copy_object", {"Key": "k", "CopySource": "never-made/other"}),
])
def test_operation_on_a_bucket_that_does_not_exist(s3, operation, params):
    answer = fails("NoSuchBucket", 404, getattr(s3, operation), Bucket="never-made", **params)
    assert answer["Error"]["BucketName"] == "never-made"


# Objects


def test_put_get_head_and_delete_object(s3, bucket):
    etag = '"%s"' % hashlib.md5(b"hello").hexdigest()
    put = s3.put_object(Bucket=bucket, Key="a/b.txt", Body=b"hello", ContentType="text/plain",
                        ContentEncoding="identity", CacheControl="no-cache",
                        ContentDisposition='attachment; filename="b"', ContentLanguage="en",
                        Metadata={"Colour": "blue", "n": "1"})
    assert put["ETag"] == etag
    for answer in (s3.get_object(Bucket=bucket, Key="a/b.txt"), s3.head_object(Bucket=bucket, Key="a/b.txt")):
        assert answer["ETag"] == etag
        assert answer["ContentLength"] == 5
        assert answer["ContentType"] == "text/plain"
        assert answer["ContentEncoding"] == "identity"
        assert answer["CacheControl"] == "no-cache"
        assert answer["ContentDisposition"] == 'attachment; filename="b"'
        assert answer["ContentLanguage"] == "en"
        assert answer["Metadata"] == {"colour": "blue", "n": "1"}
        assert answer["AcceptRanges"] == "bytes"
        age = datetime.datetime.now(datetime.timezone.utc) - answer["LastModified"]
        assert abs(age) < datetime.timedelta(minutes=5)
        if "Body" in answer:
            assert answer["Body"].read() == b"hello"
    s3.delete_object(Bucket=bucket, Key="a/b.txt")
    s3.delete_object(Bucket=bucket, Key="a/b.txt")
    answer = fails("NoSuchKey", 404, s3.get_object, Bucket=bucket, Key="a/b.txt")
    assert answer["Error"]["Key"] == "a/b.txt"
    fails("404", 404, s3.head_object, Bucket=bucket, Key="a/b.txt")


def test_object_without_a_type_is_binary(shared_server, s3, bucket):
    assert send(shared_server, "PUT", f"/{bucket}/k", b"x")[0] == 200
    assert s3.get_object(Bucket=bucket, Key="k")["ContentType"] == "binary/octet-stream"


def test_object_is_a_plain_file_in_the_data_folder(shared_server, s3, bucket):
    s3.put_object(Bucket=bucket, Key="2026/02/data.json", Body=b"{}")
    file = shared_server.data / "buckets" / bucket / "2026/02/data.json"
    assert file.read_bytes() == b"{}"
    s3.delete_object(Bucket=bucket, Key="2026/02/data.json")
    assert list((shared_server.data / "buckets" / bucket).iterdir()) == []


def test_object_is_replaced_whole(s3, bucket):
    for body in (b"one", b"", b"three" * 1000, b"4"):
        s3.put_object(Bucket=bucket, Key="k", Body=body, Metadata={"len": str(len(body))})
        answer = s3.get_object(Bucket=bucket, Key="k")
        assert answer["Body"].read() == body
        assert answer["Metadata"] == {"len": str(len(body))}
    assert len(keys_of(s3.list_objects_v2(Bucket=bucket))) == 1


HARD_KEYS = ["a", "a/b", "a/b/c", "dir/", "dir/x", "with space", "plus+plus", "per%20cent", "ü/€/漢字/😀", "//", "/abs",
             "a//b", "..", "../up", "x/../y", "./z", "q?query=1&a=b", "#hash", "tab\there", "new\nline",
             "<&>\"'", "back\\slash", "~tilde", "quote'quote", "k" * 1024, "c" * 300 + "/x", ".escaped/x", "star*",
             "eq=ual", "semi;colon", "com,ma", "\u00a0", "%", "e\u0301", "\u00e9"]


def test_keys_that_file_systems_and_urls_do_not_like(s3, bucket):
    for key in HARD_KEYS:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    for key in HARD_KEYS:
        assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode(), key
        assert s3.head_object(Bucket=bucket, Key=key)["ContentLength"] == len(key.encode())
    in_order = sorted(HARD_KEYS, key=lambda key: key.encode())
    assert keys_of(s3.list_objects_v2(Bucket=bucket)) == in_order
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, PaginationConfig={"PageSize": 3})
    assert [key for page in pages for key in keys_of(page)] == in_order
    pages = s3.get_paginator("list_objects").paginate(Bucket=bucket, PaginationConfig={"PageSize": 4})
    assert [key for page in pages for key in keys_of(page)] == in_order
    gone = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in HARD_KEYS]})
    assert sorted(entry["Key"] for entry in gone["Deleted"]) == sorted(HARD_KEYS)
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    s3.delete_bucket(Bucket=bucket)


def test_key_that_is_too_long(s3, bucket):
    fails("KeyTooLongError", 400, s3.put_object, Bucket=bucket, Key="k" * 1025, Body=b"")
    fails("KeyTooLongError", 400, s3.get_object, Bucket=bucket, Key="ü" * 513)


def test_metadata_over_two_kilobytes(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"", Metadata={"a": "x" * 2047})
    assert s3.head_object(Bucket=bucket, Key="k")["Metadata"] == {"a": "x" * 2047}
    fails("MetadataTooLarge", 400, s3.put_object, Bucket=bucket, Key="k", Body=b"", Metadata={"a": "x" * 2048})


def test_20_megabytes_in_one_part_and_in_ranges(s3, bucket, tmp_path):
    data = os.urandom(1 << 20) * 20
    (tmp_path / "big").write_bytes(data)
    config = boto3.s3.transfer.TransferConfig(multipart_threshold=64 << 20)
    s3.upload_file(str(tmp_path / "big"), bucket, "big", Config=config)
    assert s3.head_object(Bucket=bucket, Key="big")["ContentLength"] == len(data)
    assert s3.head_object(Bucket=bucket, Key="big")["ETag"] == '"%s"' % hashlib.md5(data).hexdigest()
    # the default threshold: a download in several ranges at once
    s3.download_file(bucket, "big", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == data


def test_puts_side_by_side(s3, bucket):
    wrong = []

    def work(n):
        for i in range(20):
            body = f"{n}-{i}".encode() * (i * 200 + 1)
            s3.put_object(Bucket=bucket, Key="shared", Body=body)
            s3.put_object(Bucket=bucket, Key=f"own/{n}/{i}", Body=body)
            answer = s3.get_object(Bucket=bucket, Key="shared")
            if answer["ETag"] != '"%s"' % hashlib.md5(answer["Body"].read()).hexdigest():
                wrong.append((n, i))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(keys_of(s3.list_objects_v2(Bucket=bucket))) == 161


@pytest.mark.parametrize("asked, part, content_range", [
    ("bytes=0-3", b"0123", "bytes 0-3/10"), ("bytes=4-", b"456789", "bytes 4-9/10"),
    ("bytes=-3", b"789", "bytes 7-9/10"), ("bytes=9-9", b"9", "bytes 9-9/10"),
    ("bytes=5-100", b"56789", "bytes 5-9/10"), ("bytes=-100", b"0123456789", "bytes 0-9/10"),
])
def test_range(s3, bucket, asked, part, content_range):
    s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789")
    answer = s3.get_object(Bucket=bucket, Key="k", Range=asked)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert answer["Body"].read() == part
    assert answer["ContentRange"] == content_range
    head = s3.head_object(Bucket=bucket, Key="k", Range=asked)
    assert head["ContentLength"] == len(part)


@pytest.mark.parametrize("asked", ["bytes=3-1", "bytes=0-1,3-4", "lines=1-2", "bytes=a-b", "bytes=-", "bytes", ""])
def test_range_that_is_none_is_ignored(s3, bucket, asked):
    s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789")
    answer = s3.get_object(Bucket=bucket, Key="k", Range=asked)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert answer["Body"].read() == b"0123456789"


def test_range_that_is_not_there(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789")
    s3.put_object(Bucket=bucket, Key="empty", Body=b"")
    fails("InvalidRange", 416, s3.get_object, Bucket=bucket, Key="k", Range="bytes=10-")
    fails("InvalidRange", 416, s3.get_object, Bucket=bucket, Key="k", Range="bytes=-0")
    fails("InvalidRange", 416, s3.get_object, Bucket=bucket, Key="empty", Range="bytes=0-1")


def test_conditions_of_get_and_head(s3, bucket):
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"x")["ETag"]
    when = s3.head_object(Bucket=bucket, Key="k")["LastModified"]
    before, after = when - datetime.timedelta(hours=1), when + datetime.timedelta(hours=1)
    where = {"Bucket": bucket, "Key": "k"}
    for good in ({"IfMatch": etag}, {"IfMatch": "*"}, {"IfNoneMatch": '"other"'}, {"IfModifiedSince": before},
                 {"IfUnmodifiedSince": after}, {"IfUnmodifiedSince": when}, {"IfMatch": f'"no", {etag}'},
                 {"IfMatch": etag, "IfUnmodifiedSince": before},
                 {"IfNoneMatch": '"other"', "IfModifiedSince": after}):
        assert s3.get_object(**where, **good)["Body"].read() == b"x"
        s3.head_object(**where, **good)
    for not_modified in ({"IfNoneMatch": etag}, {"IfNoneMatch": "*"}, {"IfModifiedSince": when},
                         {"IfNoneMatch": etag, "IfModifiedSince": before}):
        answer = fails("304", 304, s3.get_object, **where, **not_modified)
        assert answer["ResponseMetadata"]["HTTPHeaders"]["etag"] == etag
        fails("304", 304, s3.head_object, **where, **not_modified)
    for failed in ({"IfMatch": '"other"'}, {"IfUnmodifiedSince": before},
                   {"IfMatch": '"other"', "IfModifiedSince": after}):
        fails("PreconditionFailed", 412, s3.get_object, **where, **failed)
        fails("412", 412, s3.head_object, **where, **failed)


def test_conditions_of_put(s3, bucket):
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"1", IfNoneMatch="*")["ETag"]
    fails("PreconditionFailed", 412, s3.put_object, Bucket=bucket, Key="k", Body=b"2", IfNoneMatch="*")
    fails("PreconditionFailed", 412, s3.put_object, Bucket=bucket, Key="k", Body=b"2", IfMatch='"other"')
    fails("NoSuchKey", 404, s3.put_object, Bucket=bucket, Key="none", Body=b"2", IfMatch=etag)
    fails("NotImplemented", 501, s3.put_object, Bucket=bucket, Key="k", Body=b"2", IfNoneMatch='"x"')
    s3.put_object(Bucket=bucket, Key="k", Body=b"3", IfMatch=etag)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"3"


def test_answer_headers_chosen_by_the_request(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", ContentType="text/plain", CacheControl="no-store")
    answer = s3.get_object(Bucket=bucket, Key="k", ResponseContentType="application/x-mine",
                           ResponseCacheControl="max-age=5", ResponseContentDisposition="inline; filename=ü.txt")
    assert answer["ContentType"] == "application/x-mine"
    assert answer["CacheControl"] == "max-age=5"
    assert answer["ContentDisposition"].startswith("inline")


def test_version_null_is_the_object_and_no_other_is_there(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert s3.get_object(Bucket=bucket, Key="k", VersionId="null")["Body"].read() == b"x"
    fails("NoSuchVersion", 404, s3.get_object, Bucket=bucket, Key="k", VersionId="abc")


def test_presigned_url_works(shared_server, s3, bucket):
    s3.put_object(Bucket=bucket, Key="a b", Body=b"signed")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "a b"})
    path = url.split(str(shared_server.port), 1)[1]
    assert send(shared_server, "GET", path)[2] == b"signed"
    url = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "put"})
    path = url.split(str(shared_server.port), 1)[1]
    assert send(shared_server, "PUT", path, b"new")[0] == 200
    assert s3.get_object(Bucket=bucket, Key="put")["Body"].read() == b"new"


# Checksums


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


# Listing


def test_listing_1500_keys_in_pages(s3, bucket):
    names = [f"key-{i:05d}" for i in range(1500)]
    errors = []

    def put(part):
        try:
            for name in part:
                s3.put_object(Bucket=bucket, Key=name, Body=b"x")
        except botocore.exceptions.ClientError as error:
            errors.append(error)

    threads = [threading.Thread(target=put, args=(names[n::8],)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    first = s3.list_objects_v2(Bucket=bucket)
    assert first["KeyCount"] == 1000 and first["IsTruncated"] and first["MaxKeys"] == 1000
    assert keys_of(first) == names[:1000]
    second = s3.list_objects_v2(Bucket=bucket, ContinuationToken=first["NextContinuationToken"])
    assert keys_of(second) == names[1000:] and not second["IsTruncated"]
    assert "NextContinuationToken" not in second
    old = s3.list_objects(Bucket=bucket)
    assert keys_of(old) == names[:1000] and old["IsTruncated"] and "NextMarker" not in old
    pages = s3.get_paginator("list_objects").paginate(Bucket=bucket, PaginationConfig={"PageSize": 400})
    assert [key for page in pages for key in keys_of(page)] == names
    assert keys_of(s3.list_objects_v2(Bucket=bucket, StartAfter="key-01497")) == names[1498:]
    assert keys_of(s3.list_objects_v2(Bucket=bucket, Prefix="key-0149", MaxKeys=3)) == names[1490:1493]
    gone = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in names[:1000]], "Quiet": True})
    assert "Deleted" not in gone and "Errors" not in gone
    assert keys_of(s3.list_objects_v2(Bucket=bucket)) == names[1000:]


def test_listing_by_delimiter(s3, bucket):
    keys = ["a", "a/1", "a/2/x", "b/1", "c", "d/", "d/e/f", "z"]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    for call in (s3.list_objects, s3.list_objects_v2):
        top = call(Bucket=bucket, Delimiter="/")
        assert keys_of(top) == ["a", "c", "z"]
        assert prefixes_of(top) == ["a/", "b/", "d/"]
        assert top["Delimiter"] == "/"
        inner = call(Bucket=bucket, Delimiter="/", Prefix="d/")
        assert keys_of(inner) == ["d/"] and prefixes_of(inner) == ["d/e/"]
        assert keys_of(call(Bucket=bucket, Prefix="a/")) == ["a/1", "a/2/x"]
        assert keys_of(call(Bucket=bucket, Prefix="none")) == []
    assert s3.list_objects_v2(Bucket=bucket, Delimiter="/")["KeyCount"] == 6
    for operation in ("list_objects", "list_objects_v2"):
        for size in range(1, 8):
            pages = list(s3.get_paginator(operation).paginate(
                Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": size}))
            assert [key for page in pages for key in keys_of(page)] == ["a", "c", "z"]
            assert [prefix for page in pages for prefix in prefixes_of(page)] == ["a/", "b/", "d/"]
            assert len(pages) == (6 + size - 1) // size
    marked = s3.list_objects(Bucket=bucket, Delimiter="/", Marker="b/", MaxKeys=2)
    assert keys_of(marked) == ["c"] and prefixes_of(marked) == ["d/"]
    assert marked["NextMarker"] == "d/" and marked["Marker"] == "b/"


def test_listing_tells_of_each_object(s3, bucket):
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"hello")["ETag"]
    entry = s3.list_objects_v2(Bucket=bucket)["Contents"][0]
    assert entry["ETag"] == etag and entry["Size"] == 5 and entry["StorageClass"] == "STANDARD"
    assert "Owner" not in entry
    assert s3.list_objects_v2(Bucket=bucket, FetchOwner=True)["Contents"][0]["Owner"]["ID"]
    assert s3.list_objects(Bucket=bucket)["Contents"][0]["Owner"]["ID"]
    assert s3.head_object(Bucket=bucket, Key="k")["LastModified"] == entry["LastModified"].replace(microsecond=0)


def test_listing_arguments_that_are_wrong(shared_server, s3, bucket):
    assert s3.list_objects_v2(Bucket=bucket, MaxKeys=0)["KeyCount"] == 0
    fails("InvalidArgument", 400, s3.list_objects_v2, Bucket=bucket, MaxKeys=-1)
    fails("InvalidArgument", 400, s3.list_objects_v2, Bucket=bucket, ContinuationToken="not base64!")
    fails("InvalidArgument", 400, s3.list_objects_v2, Bucket=bucket, ContinuationToken="")
    for query in ("max-keys=x", "max-keys=99999999999", "list-type=3", "encoding-type=utf8"):
        status, _, text = send(shared_server, "GET", f"/{bucket}?{query}")
        assert status == 400 and b"<Code>InvalidArgument</Code>" in text


def test_listing_in_xml_escapes_what_xml_must(shared_server, s3, bucket):
    s3.put_object(Bucket=bucket, Key="<a>&\x01", Body=b"x")
    _, _, text = send(shared_server, "GET", f"/{bucket}")
    assert b"<Key>&lt;a&gt;&amp;&#x1;</Key>" in text


# Several at once, and copies


def test_delete_objects_with_a_bad_document(shared_server, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    too_many = b"<Delete>" + b"<Object><Key>k</Key></Object>" * 1001 + b"</Delete>"
    bomb = (b'<!DOCTYPE d [<!ENTITY a "aaaa">]><Delete><Object><Key>&a;</Key></Object></Delete>')
    for body in (b"", b"<Delete>", b"<Delete></Delete>", too_many, bomb, b"<Delete><Object><Key/></Object></Delete>"):
        status, _, text = send(shared_server, "POST", f"/{bucket}?delete", body)
        assert status == 400 and b"<Code>MalformedXML</Code>" in text
    body = b"<Delete><Object><Key>k</Key></Object></Delete>"
    wrong = base64.b64encode(hashlib.md5(b"else").digest()).decode()
    status, _, text = send(shared_server, "POST", f"/{bucket}?delete", body, {"Content-MD5": wrong})
    assert status == 400 and b"<Code>BadDigest</Code>" in text
    assert keys_of(s3.list_objects_v2(Bucket=bucket)) == ["k"]


def test_copy_object(s3, bucket):
    s3.create_bucket(Bucket=bucket + "-to")
    s3.put_object(Bucket=bucket, Key="from ü", Body=b"hello", ContentType="text/plain", Metadata={"a": "1"})
    copied = s3.copy_object(Bucket=bucket + "-to", Key="to", CopySource={"Bucket": bucket, "Key": "from ü"})
    assert copied["CopyObjectResult"]["ETag"] == '"%s"' % hashlib.md5(b"hello").hexdigest()
    answer = s3.get_object(Bucket=bucket + "-to", Key="to")
    assert answer["Body"].read() == b"hello"
    assert answer["ContentType"] == "text/plain" and answer["Metadata"] == {"a": "1"}
    s3.copy_object(Bucket=bucket, Key="from ü", CopySource={"Bucket": bucket, "Key": "from ü"},
                   MetadataDirective="REPLACE", Metadata={"b": "2"}, ContentType="text/new")
    answer = s3.get_object(Bucket=bucket, Key="from ü")
    assert answer["Body"].read() == b"hello"
    assert answer["Metadata"] == {"b": "2"} and answer["ContentType"] == "text/new"


def test_copy_object_errors(s3, bucket):
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"x")["ETag"]
    fails("NoSuchKey", 404, s3.copy_object, Bucket=bucket, Key="to", CopySource=f"{bucket}/none")
    fails("InvalidRequest", 400, s3.copy_object, Bucket=bucket, Key="k", CopySource=f"{bucket}/k")
    fails("InvalidArgument", 400, s3.copy_object, Bucket=bucket, Key="to", CopySource="nothing")
    fails("PreconditionFailed", 412, s3.copy_object, Bucket=bucket, Key="to", CopySource=f"{bucket}/k",
          CopySourceIfNoneMatch=etag)
    fails("PreconditionFailed", 412, s3.copy_object, Bucket=bucket, Key="to", CopySource=f"{bucket}/k",
          CopySourceIfMatch='"other"')
    s3.copy_object(Bucket=bucket, Key="to", CopySource=f"{bucket}/k", CopySourceIfMatch=etag)


# What is not there, and what is not well-formed


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
    assert list((shared_server.data / "tmp").iterdir()) == []
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


# awscli


def test_awscli_make_copy_list_remove(shared_server, tmp_path):
    aws = shared_server.aws
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a b.txt").write_text("hello\n")
    (tmp_path / "in" / "sub").mkdir()
    (tmp_path / "in" / "sub" / "ü.json").write_text("{}")
    assert "make_bucket: cli-bucket" in aws("s3", "mb", "s3://cli-bucket").stdout
    aws("s3", "cp", tmp_path / "in", "s3://cli-bucket/data/", "--recursive")
    assert "cli-bucket" in aws("s3", "ls").stdout
    listed = aws("s3", "ls", "s3://cli-bucket/data/").stdout
    assert "PRE sub/" in listed and "6 a b.txt" in listed
    assert "data/sub/ü.json" in aws("s3", "ls", "s3://cli-bucket", "--recursive").stdout
    assert aws("s3", "cp", "s3://cli-bucket/data/a b.txt", "-").stdout == "hello\n"
    aws("s3", "cp", "-", "s3://cli-bucket/stdin", stdin="from stdin")
    aws("s3", "cp", "s3://cli-bucket/stdin", "s3://cli-bucket/copied")
    aws("s3", "mv", "s3://cli-bucket/copied", "s3://cli-bucket/moved")
    aws("s3", "sync", "s3://cli-bucket/data", tmp_path / "out")
    assert (tmp_path / "out" / "sub" / "ü.json").read_text() == "{}"
    assert (tmp_path / "out" / "a b.txt").read_text() == "hello\n"
    assert "remove_bucket failed" in aws("s3", "rb", "s3://cli-bucket", code=1).stderr
    aws("s3", "rm", "s3://cli-bucket/moved")
    aws("s3", "rm", "s3://cli-bucket", "--recursive")
    assert aws("s3", "ls", "s3://cli-bucket").stdout == ""
    aws("s3", "rb", "s3://cli-bucket")
    assert "cli-bucket" not in aws("s3", "ls").stdout


def test_awscli_s3api(shared_server, tmp_path):
    aws = shared_server.aws
    (tmp_path / "body").write_bytes(b"0123456789")
    where = ("--bucket", "api-bucket")
    aws("s3api", "create-bucket", *where)
    aws("s3api", "head-bucket", *where)
    assert "api-bucket" in aws("s3api", "list-buckets").stdout
    assert "null" in aws("s3api", "get-bucket-location", *where).stdout
    aws("s3api", "put-object", *where, "--key", "a/k", "--body", tmp_path / "body", "--metadata", "x=1")
    assert '"x": "1"' in aws("s3api", "head-object", *where, "--key", "a/k").stdout
    aws("s3api", "get-object", *where, "--key", "a/k", "--range", "bytes=2-4", tmp_path / "part")
    assert (tmp_path / "part").read_bytes() == b"234"
    assert '"Key": "a/k"' in aws("s3api", "list-objects-v2", *where, "--prefix", "a/").stdout
    assert '"Prefix": "a/"' in aws("s3api", "list-objects", *where, "--delimiter", "/").stdout
    assert "NoSuchKey" in aws("s3api", "get-object", *where, "--key", "none", tmp_path / "none", code=254).stderr
    assert "BucketNotEmpty" in aws("s3api", "delete-bucket", *where, code=254).stderr
    assert "Deleted" in aws("s3api", "delete-objects", *where, "--delete", "Objects=[{Key=a/k}]").stdout
    aws("s3api", "put-object", *where, "--key", "k", "--body", tmp_path / "body")
    aws("s3api", "delete-object", *where, "--key", "k")
    aws("s3api", "delete-bucket", *where)
    assert "NoSuchBucket" in aws("s3api", "list-objects-v2", *where, code=254).stderr


def test_awscli_big_file_with_the_threshold_raised(shared_server, tmp_path):
    (tmp_path / "config").write_text("[default]\ns3 =\n  multipart_threshold = 64MB\n")
    (tmp_path / "big").write_bytes(os.urandom(1 << 20) * 20)
    env = leat.clean_environment(
        AWS_ENDPOINT_URL=shared_server.url, AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test",
        AWS_REGION=leat.REGION, AWS_DEFAULT_REGION=leat.REGION, AWS_CONFIG_FILE=tmp_path / "config")
    import subprocess
    shared_server.aws("s3", "mb", "s3://cli-big")
    for args in (("cp", tmp_path / "big", "s3://cli-big/big"), ("cp", "s3://cli-big/big", tmp_path / "back")):
        subprocess.run([str(leat.AWS), "s3", *map(str, args)], env=env, check=True, capture_output=True,
                       timeout=120 * leat.SLOW)
    assert (tmp_path / "back").read_bytes() == (tmp_path / "big").read_bytes()
