# SPDX-License-Identifier: Apache-2.0
"""What a person sees of a pull: progress on a terminal, each request with -v, the requests of a dry run, a summary, help."""
import os
import pty
import re
import subprocess

from support import leat
from support.hostile import Answer
from support.pages import items, offset_list
from support.pull import Pull, ids, lines, quick

ITEMS = {"items": {"path": "/items", "params": {"limit": 10}, "records": ".items", "paginate": {"offset": {"total": ".total"}}}}
TRACKS = {"tracks": {"for_each": "items", "path": "/items/{.id}/tracks", "records": ".items"}}
SECRET = "s3cret-v4lue"


def serve(api, n=30, wait=0.0):
    plain = offset_list(items(n))
    api.route("/items", lambda request: Answer(plain(request), wait=wait))
    api.route("/items/[^/]+/tracks", {"items": [{"t": 1}, {"t": 2}]})


def on_terminal(pull, *args):
    """(exit code, what the terminal got)"""
    master, slave = pty.openpty()
    process = subprocess.Popen([str(leat.PROGRAM), "pull", str(pull.path), *args], stdin=subprocess.DEVNULL, stdout=slave, stderr=slave,
                               env=leat.clean_environment(LEAT_DATA=pull.data, TERM="xterm", COLUMNS="100"))
    os.close(slave)
    text = b""
    while True:
        try:
            chunk = os.read(master, 65536)
        except OSError:
            break
        if not chunk:
            break
        text += chunk
    os.close(master)
    return process.wait(60), text.decode()


def test_a_terminal_shows_progress_and_then_the_summary(api, tmp_path):
    serve(api, n=100, wait=0.3)
    code, text = on_terminal(Pull(tmp_path, api.url, ITEMS, concurrency=1))
    assert code == 0, text
    assert "\r" in text and re.search(r"\bpages?\b", text) and re.search(r"\brecords?\b", text) and "/s" in text
    assert re.search(r" about \d+ s left", text), "the total is known: so is what is left"


def test_a_wait_is_shown_on_the_terminal_while_it_lasts(api, tmp_path):
    told = []
    api.fault(lambda request: Answer({}, 429, headers={"Retry-After": "2"}) if not told and not told.append(1) else None)
    serve(api)
    code, text = on_terminal(Pull(tmp_path, api.url, ITEMS))
    assert code == 0 and "429" in text and "\r" in text


def test_no_terminal_no_progress_line(api, tmp_path):
    serve(api)
    done = Pull(tmp_path, api.url, ITEMS).run()
    assert "\r" not in done.stderr + done.stdout


def test_the_summary_is_a_table_of_resources_and_sinks(api, tmp_path):
    serve(api)
    done = Pull(tmp_path, api.url, {**ITEMS, **TRACKS}).run()
    said = done.stdout + done.stderr
    row = {line.split()[0]: line for line in said.splitlines() if line.split()}
    assert re.search(r"\b3\b.*\b30\b", row["items"]), said
    assert re.search(r"\b30\b.*\b60\b", row["tracks"]), said
    assert re.search(r"s3://lake/.*\b90\b", said), said


def test_quiet_says_nothing_and_errors_are_still_said(api, tmp_path):
    serve(api)
    pull = Pull(tmp_path, api.url, ITEMS, **quick())
    done = pull.run("-q")
    assert done.stdout == "" and done.stderr == ""
    api.route("/items", Answer({"message": "gone"}, 410))
    assert "gone" in pull.run("-q", code=1).stderr


def test_verbose_shows_each_request_masked(api, tmp_path):
    serve(api)
    pull = Pull(tmp_path, api.url, ITEMS, auth={"api_key": {"in": "query", "name": "key", "value": SECRET}},
                params={"page_size": "10"})
    said = pull.run("-v", "--to", "-").stderr
    assert len(re.findall(r"^GET http://127\.0\.0\.1:\d+/items\?", said, re.MULTILINE)) == 3
    assert SECRET not in said
    assert len(re.findall(r"^200 GET .*bytes in \d+ ms", said, re.MULTILINE)) == 3


def test_a_dry_run_prints_the_first_requests_and_sends_nothing(api, tmp_path):
    serve(api)
    pull = Pull(tmp_path, api.url, {**ITEMS, **TRACKS}, auth={"bearer": {"token": SECRET}}, headers={"X-Version": "7"})
    done = pull.run("--dry-run")
    assert f"GET {api.url}/items?" in done.stdout and "limit=10" in done.stdout
    assert "/items/{.id}/tracks" in done.stdout
    assert "Authorization: Bearer" in done.stdout and "X-Version: 7" in done.stdout
    assert SECRET not in done.stdout + done.stderr
    assert not api.asked() and not (pull.data / "buckets").exists()


def test_a_limit_gives_so_many_and_asks_no_more_than_that_needs(api, tmp_path):
    serve(api)
    pull = Pull(tmp_path, api.url, {**ITEMS, **TRACKS})
    assert ids(pull.records("--limit", "12", "--resource", "items")) == ids(items(12))
    assert len(api.asked()) == 2
    api.forget()
    assert len(lines(pull.run("--to", "-", "-q", "--limit", "3").stdout)) == 3 + 6
    assert len(api.asked("/items?")) == 1 and len(api.asked("/items/")) == 3


def test_a_resource_that_is_not_there_is_told_with_the_nearest(api, tmp_path):
    done = Pull(tmp_path, api.url, ITEMS).run("--resource", "itms", code=None)
    assert done.returncode in (1, 2) and "itms" in done.stderr and "items" in done.stderr
    assert not api.asked()


def test_a_file_without_a_pipeline_that_pulls_is_told(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text("streams: {a: {}, b: {}}\npipelines: {p: {source: {stream: a}, route: [{to: b}]}}\n")
    done = leat.run("pull", path, data=tmp_path / "d", code=None)
    assert done.returncode in (1, 2) and "rest" in done.stderr
    done = leat.run("pull", tmp_path / "none.yaml", data=tmp_path / "d", code=None)
    assert done.returncode in (1, 2) and "none.yaml" in done.stderr


def test_check_and_test_know_the_file(api, tmp_path):
    recorded = {"items": items(2), "next": "/items?offset=2", "total": 4}
    good = {"path": "/items", "records": ".items", "next": ".next",
            "tests": [{"name": "a page", "page": recorded, "records": 2, "first": {"id": "i0", "n": 0},
                       "next": api.url + "/items?offset=2"}]}
    pull = Pull(tmp_path, api.url, {"items": good})
    leat.run("check", pull.path)
    assert "1 passed" in leat.run("test", pull.path).stdout
    good["tests"][0]["records"] = 3
    pull.write()
    done = leat.run("test", pull.path, code=1)
    assert "a page" in done.stdout + done.stderr and "1 failed" in done.stdout
    good["records"] = ".items["
    pull.write()
    done = leat.run("check", pull.path, code=2)
    assert "api.yaml:" in done.stdout + done.stderr
    assert not api.asked()


def test_help_names_the_options(tmp_path):
    text = leat.run("pull", "--help").stdout
    for option in ("--limit", "--dry-run", "--fresh", "--resource", "--to", "--state"):
        assert option in text
    assert "pull" in leat.run("--help").stdout
