# SPDX-License-Identifier: Apache-2.0
"""What a web API does wrong, each with a clear answer: which resource, which URL, which status, in the API's own words; and what
was read before is kept. The complaints of those who use other tools (facts of the issue) are among them."""
import email.utils
import re
import time

import pytest

from support.hostile import Answer, Hostile
from support.pages import items, next_list, offset_list, script
from support.pull import Pull, ids, lines, quick

NEXT = {"items": {"path": "/items", "records": ".items", "next": ".next"}}
ONE = {"items": {"path": "/items", "records": ".items"}}


def fails_after(api, folder, answer, *, n_kept=10, resources=None, code=1, **source):
    """A first page of ten, then that answer for ever: the pull fails, the ten are kept. Returns what it said."""
    good = Answer({"items": items(10), "next": "/items?page=2", "cursor": "c2", "total": 30})
    api.route("/items", lambda request: good if request.target in ("/items", "/items?limit=10") else
              answer(request) if callable(answer) else answer)
    done = Pull(folder, api.url, resources or NEXT, **quick(**source)).run("--to", "-", code=code)
    assert len(lines(done.stdout)) == n_kept
    assert "items" in done.stderr
    return done.stderr


# ---------------------------------------------------------------- bodies

DEEP = b'{"items":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
BODIES = {
    # name: (the answer, words of the error, requests for it)
    "bad json": (Answer(b'{"items": [1, 2'), ["JSON"], 1),
    "a login page": (Answer(b"<html><title>Log in</title></html>", kind="text/html; charset=utf-8"), ["text/html", "<html>"], 1),
    "plain text": (Answer(b"all is well", kind="text/plain"), ["text/plain", "all is well"], 1),
    "deep json": (Answer(DEEP), ["nesting"], 1),
    "records missing": (Answer({"data": [{"id": 1}], "next": None}), [".items", "data"], 1),
    "records are a text": (Answer({"items": "none", "next": None}), [".items"], 1),
    "not utf-8": (Answer(b'{"items": [{"id": "\xff\xfe"}]}'), ["UTF-8"], 1),
    "a body cut": (Answer({"items": items(10), "next": None}, cut=30), ["page=2"], 3),
    "a chunked body cut": (Answer({"items": items(10), "next": None}, chunked=True, cut=40), ["page=2"], 3),
    "more announced than sent": (Answer({"items": items(10), "next": None}, length=10_000, close=True), ["page=2"], 3),
    "reset": (Answer(reset=True), ["page=2"], 4),  # libcurl tries a kept connection that broke once more on a new one
}


@pytest.mark.parametrize("answer, words, n", BODIES.values(), ids=BODIES)
def test_a_body_that_is_no_page(api, tmp_path, answer, words, n):
    said = fails_after(api, tmp_path, answer)
    for word in words:
        assert word in said
    assert api.counts()["/items?page=2"] in ((n,) if n < 4 else (n - 1, n))


def test_a_short_content_length_is_no_page(api, tmp_path):
    """A body longer than it says: what stands within the length is cut JSON."""
    said = fails_after(api, tmp_path, Answer({"items": items(10), "next": None}, length=25, close=True))
    assert "JSON" in said


def test_json_under_a_wrong_content_type_is_read(api, tmp_path):
    api.route("/items", Answer({"items": items(3), "next": None}, kind="text/plain"))
    assert len(Pull(tmp_path, api.url, NEXT).records()) == 3


def test_a_page_larger_than_allowed_is_refused(api, tmp_path):
    said = fails_after(api, tmp_path, Answer({"items": [{"id": "x" * 3_000_000}], "next": None}), max_page="1MiB")
    assert "1 MiB" in said or "1MiB" in said or "max_page" in said
    assert api.counts()["/items?page=2"] == 1


def test_a_huge_page_is_read_when_it_is_allowed(api, tmp_path):
    records = [{"id": n, "text": "y" * 1000} for n in range(20_000)]
    api.route("/items", {"items": records})
    assert ids(Pull(tmp_path, api.url, ONE).records()) == list(range(20_000))


def test_duplicate_ids_are_the_apis_own(api, tmp_path):
    api.route("/items", {"items": [{"id": 1}, {"id": 1}, {"id": 2}]})
    assert ids(Pull(tmp_path, api.url, ONE).records()) == [1, 1, 2]


def test_faults_of_the_wire_that_pass_leave_no_trace(api, tmp_path):
    """Each page fails once in another way; every record comes once."""
    faults = [Answer({"items": items(10)}, cut=30), Answer(reset=True), Answer(status=500), Answer(status=503),
              Answer({"items": items(10)}, chunked=True, cut=50), Answer({}, status=429, headers={"Retry-After": "0"})]
    seen = set()

    def once(request):
        at = request.number("offset", 0) // 10
        if at < len(faults) and at not in seen:
            seen.add(at)
            return faults[at]
        return None

    api.fault(once)
    api.route("/items", offset_list(items(95)))
    says = {"items": {"path": "/items", "params": {"limit": 10}, "records": ".items", "paginate": {"offset": {"total": ".total"}}}}
    assert ids(Pull(tmp_path, api.url, says).records()) == ids(items(95))
    assert sorted(api.counts().values()) == [1] * 4 + [2] * 6


# ---------------------------------------------------------------- statuses

def test_a_status_is_told_with_resource_url_and_the_apis_message(api, tmp_path):
    said = fails_after(api, tmp_path, Answer({"error": {"status": 404, "message": "No album of that name"}}, 404))
    assert "404" in said and "No album of that name" in said and "/items?page=2" in said
    assert api.counts()["/items?page=2"] == 1


def test_a_hint_of_the_file_is_shown_with_its_status(api, tmp_path):
    resources = {"items": {**NEXT["items"], "hint": {403: "apps in Development Mode lost this: pull the search resource"}}}
    said = fails_after(api, tmp_path, Answer({"error": {"status": 403, "message": "Forbidden for this app"}}, 403),
                       resources=resources)
    assert "403" in said and "Forbidden for this app" in said and "pull the search resource" in said


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429])
def test_a_status_that_may_pass_is_tried_again_as_often_as_the_file_says(api, tmp_path, status):
    said = fails_after(api, tmp_path, Answer({"error": "the backend is away"}, status), retry={"attempts": 2})
    assert str(status) in said and "the backend is away" in said
    assert api.counts()["/items?page=2"] == 2


@pytest.mark.parametrize("status", [400, 402, 404, 410, 422, 501])
def test_a_status_that_stays_is_not_tried_again(api, tmp_path, status):
    said = fails_after(api, tmp_path, Answer({"message": "no"}, status))
    assert str(status) in said
    assert api.counts()["/items?page=2"] == 1


# ---------------------------------------------------------------- 429

def test_a_retry_after_of_0_does_not_burn_all_attempts(api, tmp_path):
    """The API is busy for a while and says 0 each time: attempts are spread over that while."""
    begin = []

    def busy(request):
        begin.append(time.monotonic())
        if time.monotonic() - begin[0] < 0.5:
            return Answer({}, 429, headers={"Retry-After": "0"})
        return {"items": items(3), "next": None}

    api.route("/items", busy)
    assert len(Pull(tmp_path, api.url, NEXT, retry={"attempts": 12}).records()) == 3
    assert len(api.asked()) <= 12


@pytest.mark.parametrize("value", [lambda: "3", lambda: email.utils.formatdate(time.time() + 4, usegmt=True)],
                         ids=["seconds", "a date"])
def test_a_wait_is_kept_and_shown_with_its_reason_and_end(api, tmp_path, value):
    api.route("/items", script(lambda request: Answer({}, 429, headers={"Retry-After": value()}), then={"items": items(3), "next": None}))
    done = Pull(tmp_path, api.url, NEXT).run("--to", "-")
    assert len(lines(done.stdout)) == 3
    first, second = api.asked()
    assert second.at - first.at >= 2.9
    assert re.search(r"asks to wait.*429.*until 20\d\d-", done.stderr), "a wait of seconds is not silent"


@pytest.mark.parametrize("value", ["86400", email.utils.formatdate(time.time() + 86400, usegmt=True), "999999999999999999999"],
                         ids=["seconds", "a date", "beyond all numbers"])
def test_a_wait_of_a_day_is_refused_and_said(api, tmp_path, value):
    said = fails_after(api, tmp_path, Answer({"error": {"message": "QUOTA_EXCEEDED"}}, 429, headers={"Retry-After": value}))
    assert "asks to wait" in said and "retry_after_max" in said and "QUOTA_EXCEEDED" in said
    assert api.counts()["/items?page=2"] == 1


def test_a_429_holds_all_requests_to_that_host(api, tmp_path):
    """Once one was told to wait a second, none is sent within it but those that were under way."""
    plain = offset_list(items(400))
    told = []

    def handler(request):
        if request.get("offset") == "100" and not told:
            told.append(time.monotonic())
            return Answer({}, 429, headers={"Retry-After": "1"})
        return Answer(plain(request), wait=0.01)

    api.route("/items", handler)
    says = {"items": {"path": "/items", "params": {"limit": 10}, "records": ".items", "paginate": {"offset": {"total": ".total"}}}}
    assert ids(Pull(tmp_path, api.url, says, concurrency=4).records()) == ids(items(400))
    within = [request for request in api.asked() if told[0] + 0.4 < request.at < told[0] + 0.9]
    assert not within


# ---------------------------------------------------------------- time-outs

@pytest.mark.parametrize("answer", [Answer(silent=True), Answer({"items": items(10), "next": None}, drip=(20, 5))],
                         ids=["no answer", "a body that stops"])
def test_a_silent_api_is_given_up(api, tmp_path, answer):
    said = fails_after(api, tmp_path, answer, timeout={"read": "300ms"}, retry={"attempts": 2})
    assert "page=2" in said and "nothing was received for 300 ms" in said
    assert api.counts()["/items?page=2"] == 2


def test_a_body_that_drips_for_ever_is_given_up(api, tmp_path):
    page = Answer({"items": items(500), "next": None}, drip=(5, 0.05))
    said = fails_after(api, tmp_path, page, timeout={"read": "5s", "total": "1s"}, retry={"attempts": 1})
    assert "page=2" in said
    assert api.counts()["/items?page=2"] == 1


def test_nobody_there_is_an_error(tmp_path):
    gone = Hostile()
    url = gone.url
    gone.listener.close()
    done = Pull(tmp_path, url, ONE, **quick()).run("--to", "-", code=1)
    assert "items" in done.stderr and url.removeprefix("http://") in done.stderr and "connect" in done.stderr.lower()


# ---------------------------------------------------------------- loops

def test_a_next_url_that_repeats_is_an_error_that_names_it(api, tmp_path):
    said = fails_after(api, tmp_path, {"items": items(10, first=10), "next": "/items?page=2"}, n_kept=20)
    assert "/items?page=2" in said and ("again" in said or "repeat" in said)
    assert max(api.counts().values()) == 1


def test_next_urls_that_go_round_are_an_error(api, tmp_path):
    turn = {"2": 3, "3": 4, "4": 2}
    said = fails_after(api, tmp_path, lambda request: {
        "items": items(1, first=10 + request.number("page", 0)), "next": f"/items?page={turn[request.get('page')]}"}, n_kept=13)
    assert "/items?page=2" in said
    assert max(api.counts().values()) == 1


def test_a_cursor_that_repeats_is_an_error_that_names_it(api, tmp_path):
    resources = {"items": {"path": "/items", "records": ".items", "paginate": {"cursor": {"param": "c", "cursor": ".cursor"}}}}
    said = fails_after(api, tmp_path, {"items": items(10, first=10), "cursor": "c2"}, resources=resources, n_kept=20)
    assert "c2" in said
    assert max(api.counts().values()) == 1


def test_a_body_that_repeats_under_new_urls_is_an_error(api, tmp_path):
    """`next` is never null and always new, but the page is the same."""
    resources = {"items": {"path": "/items", "records": ".items", "paginate": {"page": {}}}}
    api.route("/items", {"items": items(10)})
    done = Pull(tmp_path, api.url, resources).run("--to", "-", code=1)
    assert "page=" in done.stderr
    assert len(lines(done.stdout)) in (10, 20) and len(api.asked()) <= 3


def test_a_cursor_that_goes_on_after_the_last_page_is_no_endless_run(api, tmp_path):
    """After three full pages there are empty ones with ever new cursors."""
    def handler(request):
        at = int(request.get("c", "0"))
        return {"items": items(10, first=at * 10) if at < 3 else [], "cursor": str(at + 1)}

    api.route("/items", handler)
    resources = {"items": {"path": "/items", "records": ".items", "paginate": {"cursor": {"param": "c", "cursor": ".cursor"}}}}
    done = Pull(tmp_path, api.url, resources).run("--to", "-", code=None)
    assert ids(lines(done.stdout)) == ids(items(30))
    assert len(api.asked()) <= 120 and done.returncode in (0, 1)
    assert done.returncode == 0 or "empty" in done.stderr


def test_redirects_that_go_round_end(api, tmp_path):
    api.route("/a", Answer(status=302, headers={"Location": "/b"}))
    api.route("/b", Answer(status=302, headers={"Location": "/a"}))
    done = Pull(tmp_path, api.url, {"items": {"path": "/a"}}).run("--to", "-", code=1)
    assert "redirect" in done.stderr
    assert len(api.asked()) <= 30


def test_a_redirect_to_nowhere_is_an_error(api, tmp_path):
    said = fails_after(api, tmp_path, Answer(status=302))
    assert "302" in said or "Location" in said
    said = fails_after(api, tmp_path, Answer(status=302, headers={"Location": "file:///etc/passwd"}))
    assert "root:" not in said


def test_a_next_url_of_another_kind_is_an_error(api, tmp_path):
    for link in ("file:///etc/passwd", "ftp://127.0.0.1/x", "http://", "http://[::1", 7, ["x"]):
        api.route("/items", {"items": items(2), "next": link})
        done = Pull(tmp_path, api.url, NEXT).run("--to", "-", code=1)
        assert "next" in done.stderr, f"{link}: {done.stderr}"


# ---------------------------------------------------------------- TLS

def test_a_certificate_that_nobody_signed_is_refused_and_one_that_the_file_names_is_trusted(tmp_path):
    api = Hostile(certificate=tmp_path).start()
    api.route("/items", {"items": items(3), "next": None})
    pull = Pull(tmp_path, api.url, NEXT, auth={"bearer": {"token": "s3cret-v4lue"}}, **quick())
    done = pull.run("--to", "-", code=1)
    assert "certificate" in done.stderr and api.url.removeprefix("https://") in done.stderr
    assert not api.asked(), "nothing was said to a server that is not trusted"
    pull.source["ca_file"] = str(api.ca_file)
    assert len(pull.write().records()) == 3
    api.stop()


def test_https_to_a_server_that_speaks_plain_http_fails_and_says_so(api, tmp_path):
    done = Pull(tmp_path, api.url.replace("http:", "https:"), ONE, **quick()).run("--to", "-", code=1)
    assert "TLS" in done.stderr or "SSL" in done.stderr


# ---------------------------------------------------------------- what was read before is kept

def test_a_failing_child_keeps_what_came_before_it(api, tmp_path):
    api.route("/albums", {"items": items(5)})
    api.route("/albums/[^/]+/tracks", lambda request: Answer({"message": "no such album"}, 404) if "i3" in request.path else
              {"items": [{"id": request.path.split("/")[2] + "-t"}]})
    pull = Pull(tmp_path, api.url, {"albums": {"path": "/albums"}, "tracks": {"for_each": "albums", "path": "/albums/{.id}/tracks"}},
                **quick())
    done = pull.run("--to", "-", "--resource", "tracks", code=1)
    assert ids(lines(done.stdout)) == ["i0-t", "i1-t", "i2-t"]
    assert "/albums/i3/tracks" in done.stderr and "tracks" in done.stderr and "no such album" in done.stderr


def test_a_parent_without_the_value_is_named(api, tmp_path):
    api.route("/albums", {"items": [{"id": None}]})
    pull = Pull(tmp_path, api.url, {"albums": {"path": "/albums"}, "tracks": {"for_each": "albums", "path": "/albums/{.id}/tracks"}})
    done = pull.run("--to", "-", code=1)
    assert ".id" in done.stderr and "tracks" in done.stderr
    assert len(api.asked()) == 1
