# SPDX-License-Identifier: Apache-2.0
"""Listing and removing many objects by boto3."""
import base64
import hashlib
import threading

import botocore.exceptions
from support.s3 import bucket, fails, keys_of, prefixes_of, s3, send  # noqa: F401


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


def test_a_prefix_that_is_not_utf8_gets_a_document_that_can_be_read(shared_server, bucket):
    status, _, text = send(shared_server, "GET", f"/{bucket}?list-type=2&prefix=a%ff")
    assert status == 200 and b"<Prefix>a?</Prefix>" in text
    status, _, text = send(shared_server, "GET", f"/{bucket}/%ff")
    assert status == 400 and b"<Key>?</Key>" in text
