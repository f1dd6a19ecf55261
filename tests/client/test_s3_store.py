# SPDX-License-Identifier: Apache-2.0
"""The S3 body of leat's object stores against leat's own S3, over TCP and over the private socket."""
import concurrent.futures
import os
import subprocess

import pytest

from support.leat import PROGRAM, check_sanitizers, clean_environment

OBJECTCTL = PROGRAM.parent / "tests/tools/objectctl"
HELLO_ETAG = "b1946ac92492d2347c6235b4d2611184"  # MD5 of "hello\n"


@pytest.fixture(params=["tcp", "unix"])
def store(server, request):
    place = f"http://127.0.0.1:{server.port}"
    if request.param == "unix":
        place = f"unix:{server.data}/address"

    def call(*args, data=b"", code=0):
        done = subprocess.run([str(OBJECTCTL), place, *map(str, args)], input=data,
                              capture_output=True, timeout=120, env=clean_environment())
        check_sanitizers(done.stderr.decode())
        assert done.returncode == code, done.stderr
        return (done.stdout if code == 0 else done.stderr).decode()

    return call


def test_a_bucket_is_made_once_and_removed(store, s3):
    store("create", "lake")
    assert store("create", "lake", code=1).startswith("LEAT_E_EXISTS ")
    assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == ["lake"]
    assert store("stat", "lake") == "0\t0\n"
    store("remove", "lake")
    assert store("remove", "lake", code=1).startswith("LEAT_E_NOT_FOUND NoSuchBucket ")
    assert store("stat", "lake", code=1).startswith("LEAT_E_NOT_FOUND NoSuchBucket ")


@pytest.mark.parametrize("key", ["plain", "a/b c/é+☃.txt", "100%/a=b&c", "a/b/../c", "<&>'\""])
def test_an_object_is_put_whole_under_its_key(store, s3, key):
    store("create", "lake")
    store("put", "lake", key, "text/plain", "gzip", data=b"hello\n")
    got = s3.get_object(Bucket="lake", Key=key)
    assert got["Body"].read() == b"hello\n"
    assert (got["ContentType"], got["ContentEncoding"]) == ("text/plain", "gzip")
    size, etag, kind, encoding, modified = store("head", "lake", key).rstrip("\n").split("\t")
    assert (size, etag, kind, encoding) == ("6", HELLO_ETAG, "text/plain", "gzip")
    assert abs(int(modified) / 1000 - got["LastModified"].timestamp()) < 2
    assert store("remove", "lake", code=1).startswith("LEAT_E_BUSY BucketNotEmpty ")
    store("remove", "lake", "--with-objects")
    assert s3.list_buckets()["Buckets"] == []


def test_what_is_not_there_is_told(store):
    store("create", "lake")
    assert store("head", "lake", "none", code=1).startswith("LEAT_E_NOT_FOUND ")
    assert store("put", "none", "a", code=1).startswith("LEAT_E_NOT_FOUND NoSuchBucket ")


def test_a_large_object_arrives_whole(store, s3):
    data = os.urandom(1 << 20) * 40
    store("create", "lake")
    store("put", "lake", "large", data=data)
    assert s3.get_object(Bucket="lake", Key="large")["Body"].read() == data


def test_many_objects_are_summed_and_removed_over_pages(store, s3):
    store("create", "lake")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: s3.put_object(Bucket="lake", Key=f"k/{i:04}", Body=b"12345"),
                      range(1100)))
    assert store("stat", "lake") == "1100\t5500\n"
    store("remove", "lake", "--with-objects")
    assert s3.list_buckets()["Buckets"] == []
