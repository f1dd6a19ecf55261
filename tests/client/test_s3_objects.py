# SPDX-License-Identifier: Apache-2.0
"""Objects in and out by boto3: the keys that hurt, ranges, conditions, copies, and each documented error."""
import datetime
import hashlib
import os
import threading

import boto3.s3.transfer
import pytest
from support.s3 import bucket, fails, keys_of, s3, send  # noqa: F401


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
