# SPDX-License-Identifier: Apache-2.0
"""awscli as it comes, with only the endpoint set."""
import os
import subprocess

from support import leat


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
    assert "NoSuchKey" in aws("s3api", "get-object", *where, "--key", "none", tmp_path / "none", code=255).stderr
    assert "BucketNotEmpty" in aws("s3api", "delete-bucket", *where, code=255).stderr
    assert "Deleted" in aws("s3api", "delete-objects", *where, "--delete", "Objects=[{Key=a/k}]").stdout
    aws("s3api", "put-object", *where, "--key", "k", "--body", tmp_path / "body")
    aws("s3api", "delete-object", *where, "--key", "k")
    aws("s3api", "delete-bucket", *where)
    assert "NoSuchBucket" in aws("s3api", "list-objects-v2", *where, code=255).stderr


def test_awscli_big_file_with_the_threshold_raised(shared_server, tmp_path):
    (tmp_path / "config").write_text("[default]\ns3 =\n  multipart_threshold = 64MB\n")
    (tmp_path / "big").write_bytes(os.urandom(1 << 20) * 20)
    env = leat.clean_environment(
        AWS_ENDPOINT_URL=shared_server.url, AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test",
        AWS_REGION=leat.REGION, AWS_DEFAULT_REGION=leat.REGION, AWS_CONFIG_FILE=tmp_path / "config")
    shared_server.aws("s3", "mb", "s3://cli-big")
    for args in (("cp", tmp_path / "big", "s3://cli-big/big"), ("cp", "s3://cli-big/big", tmp_path / "back")):
        subprocess.run([str(leat.AWS), "s3", *map(str, args)], env=env, check=True, capture_output=True,
                       timeout=120 * leat.SLOW)
    assert (tmp_path / "back").read_bytes() == (tmp_path / "big").read_bytes()
