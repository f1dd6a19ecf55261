# SPDX-License-Identifier: Apache-2.0
"""S3's operations on buckets by boto3, with each documented error."""
import datetime

import pytest
from support.s3 import bucket, fails, s3, send  # noqa: F401


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
