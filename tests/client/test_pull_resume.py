# SPDX-License-Identifier: Apache-2.0
"""A pull that ended goes on where it was: nothing that a sink has acknowledged is fetched again, nothing is missing, nothing is
there twice."""
import signal
import threading
import time

import pytest

from support import leat
from support.hostile import Answer
from support.pages import items, next_list, offset_list, script
from support.pull import Pull, ids, kill, quick, twice, wait_for, where_secrets_lie

OFFSET = {"items": {"path": "/items", "params": {"limit": 10}, "records": ".items", "paginate": {"offset": {"total": ".total"}}}}
NEXT = {"items": {"path": "/items", "records": ".items", "next": ".next"}}
TRACKS = {"tracks": {"for_each": "items", "path": "/items/{.id}/tracks", "records": ".items"}}
APART = {"route": [{"when": '$resource == "items"', "to": "s3://lake/items/"}, {"to": "s3://lake/tracks/"}]}


class Gate:
    """Holds requests that `which` chooses until it is opened; it has `n` waiting."""

    def __init__(self, api, which):
        self.open, self.n = threading.Event(), 0
        self.which = which
        api.fault(self.hold)

    def hold(self, request):
        if self.open.is_set() or not self.which(request):
            return None
        self.n += 1
        self.open.wait(60)
        return Answer(reset=True)


def saved(pull, n):
    """Waits until that many records are in spools of the data folder: the positions then know of them."""
    def there():
        found = list((pull.data / "spool").rglob("*")) if (pull.data / "spool").exists() else []
        return sum(path.read_bytes().count(b"\n") for path in found if path.is_file()) >= n
    wait_for(there, f"{n} records in the spool")


@pytest.mark.parametrize("resources, base", [(OFFSET, ""), (NEXT, "/items")], ids=["offset", "next"])
def test_after_a_crash_only_what_is_missing_is_fetched(api, tmp_path, resources, base):
    plain = next_list(items(200), "/items") if base else offset_list(items(200))
    gate = Gate(api, lambda request: request.path == "/items" and request.number("offset", 0) >= 120)
    api.route("/items", plain)
    pull = Pull(tmp_path, api.url, resources)
    process = pull.start("-q")
    saved(pull, 120)
    wait_for(lambda: gate.n, "a page held")
    time.sleep(0.7)  # positions are saved at most every 250 ms
    kill(process)
    gate.open.set()
    before = len(api.asked())
    pull.run("-q")
    assert ids(pull.lake()) == ids(items(200))
    again = api.asked()[before:]
    assert {request.number("offset", 0) for request in again} <= set(range(110, 200, 10)), "at most one page twice"
    assert len(again) <= 10


def test_after_a_failed_page_the_next_run_goes_on_there(api, tmp_path):
    api.route("/items", lambda request: Answer({"message": "away"}, 404) if request.number("offset", 0) == 50 else
              next_list(items(100), "/items")(request))
    pull = Pull(tmp_path, api.url, NEXT, **quick())
    pull.run("-q", code=1)
    assert not pull.lake(), "an object appears when it is full, or at the end of a whole pass"
    api.route("/items", next_list(items(100), "/items"))
    api.forget()
    done = pull.run()
    assert ids(pull.lake()) == ids(items(100))
    assert sorted(request.number("offset", 0) for request in api.asked()) == [50, 60, 70, 80, 90]
    assert "resum" in done.stderr or "goes on" in done.stderr or "continu" in done.stderr


def test_ctrl_c_keeps_what_was_read(api, tmp_path):
    gate = Gate(api, lambda request: request.number("offset", 0) == 50)
    api.route("/items", next_list(items(100), "/items"))
    pull = Pull(tmp_path, api.url, NEXT)
    process = pull.start()
    wait_for(lambda: gate.n, "the page held")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    leat.check_sanitizers(err)
    assert process.returncode == 130, err
    gate.open.set()
    api.forget()
    pull.run("-q")
    assert ids(pull.lake()) == ids(items(100))
    assert sorted(request.number("offset", 0) for request in api.asked()) == [50, 60, 70, 80, 90]


def test_each_parent_has_a_position_of_its_own(api, tmp_path):
    """Two children fail: the next run asks for these alone."""
    bad = {"/items/i7/tracks", "/items/i8/tracks"}
    api.route("/items", offset_list(items(20)))
    api.route("/items/[^/]+/tracks", lambda request: Answer({}, 404) if request.path in bad else
              {"items": [{"id": f"{request.path.split('/')[2]}-{n}"} for n in range(3)]})
    pull = Pull(tmp_path, api.url, {**OFFSET, **TRACKS}, pipeline=APART, concurrency=1, **quick())
    pull.run("-q", code=1)
    bad.clear()
    api.forget()
    pull.run("-q")
    tracks = [record["id"] for key, records in sorted(pull.objects().items()) if "tracks" in key for record in records]
    assert tracks == [f"i{item}-{n}" for item in range(20) for n in range(3)]
    asked = [request.path for request in api.asked("/items/")]
    assert "/items/i7/tracks" in asked and not {f"/items/i{n}/tracks" for n in range(7)} & set(asked)
    assert not twice(asked)


def test_fresh_starts_over(api, tmp_path):
    api.route("/items", lambda request: Answer({}, 404) if request.number("offset", 0) == 50 else
              next_list(items(100), "/items")(request))
    pull = Pull(tmp_path, api.url, NEXT, **quick())
    pull.run("-q", code=1)
    api.route("/items", next_list(items(100), "/items"))
    api.forget()
    pull.run("-q", "--fresh")
    assert len(api.asked()) == 10
    assert ids(pull.lake()) == ids(items(100))


def test_a_whole_pull_again_writes_the_same_objects(api, tmp_path):
    api.route("/items", offset_list(items(100)))
    pull = Pull(tmp_path, api.url, OFFSET)
    pull.run("-q")
    first = pull.objects()
    pull.run("-q")
    assert pull.objects() == first and len(api.asked()) == 20


def test_a_token_of_the_run_before_is_not_needed_to_go_on(api, tmp_path):
    """A `next` URL that is kept holds no credential, and gets it again."""
    plain = next_list(items(50), "/items")
    failing = [True]

    def echoing(request):
        body = plain(request)
        if request.number("offset", 0) == 20 and failing:
            return Answer({}, 404)
        return {**body, "next": body["next"] and body["next"] + "&key=" + request.get("key", "none")}

    api.route("/items", echoing)
    pull = Pull(tmp_path, api.url, NEXT, auth={"api_key": {"in": "query", "name": "key", "value": "${THE_KEY}"}},
                env={"THE_KEY": "s3cret-k3y-1"}, **quick())
    pull.run("-q", code=1)
    assert not where_secrets_lie(tmp_path, "s3cret-k3y-1")
    failing.clear()
    pull.run("-q", env={"THE_KEY": "s3cret-k3y-2"})
    assert ids(pull.lake()) == ids(items(50))
    assert [value for key, value in api.asked()[-1].params if key == "key"] == ["s3cret-k3y-2"]


def test_two_pulls_of_one_pipeline_do_not_run_at_once(api, tmp_path):
    gate = Gate(api, lambda request: True)
    api.route("/items", next_list(items(20), "/items"))
    pull = Pull(tmp_path, api.url, NEXT)
    process = pull.start("-q")
    wait_for(lambda: gate.n, "the first request")
    done = pull.run("-q", code=1)
    assert "pipeline p" in done.stderr and "another" in done.stderr
    gate.open.set()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert ids(pull.lake()) == ids(items(20))


def test_a_limit_touches_no_position(api, tmp_path):
    api.route("/items", next_list(items(100), "/items"))
    pull = Pull(tmp_path, api.url, NEXT)
    assert len(pull.records("--limit", "15")) == 15
    assert len(api.asked()) == 2
    pull.run("-q")
    assert ids(pull.lake()) == ids(items(100))


def test_a_page_that_fails_for_a_while_does_not_hold_what_was_read(api, tmp_path):
    """Retries of a later page: earlier ones are already safe."""
    api.route("/items", script(next_list(items(30), "/items"), *[Answer(status=503)] * 2, then=next_list(items(30), "/items")))
    pull = Pull(tmp_path, api.url, NEXT)
    pull.run("-q")
    assert ids(pull.lake()) == ids(items(30))
