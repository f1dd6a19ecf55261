# SPDX-License-Identifier: Apache-2.0
"""Every way from one page to the next: all records in the API's order, no page twice, no request more than needed."""
import json
import threading
import urllib.parse

import pytest

from support.hostile import Answer
from support.pages import (cursor_list, items, link_list, next_list, offset_list, page_list, together)
from support.pull import Pull, ids, objects, twice


def one(**says):
    return {"items": {"path": "/items", **says}}


def offset(**says):
    return one(params={"limit": 10}, records=".items", paginate={"offset": says})


def only_once(api, n):
    counts = api.counts("/items")
    assert sum(counts.values()) == len(counts) == n, counts


# ---------------------------------------------------------------- each paginator

TOTAL, PAGES = {"total": ".total"}, {"pages": ".pages"}
PAGINATORS = {
    # name: (records, what the file says, the handler of (records, url), requests)
    "offset with a total": (25, offset(**TOTAL), lambda r, u: offset_list(r), 3),
    "offset with a total that the limit divides": (30, offset(**TOTAL), lambda r, u: offset_list(r), 3),
    "offset with a total of one page": (7, offset(**TOTAL), lambda r, u: offset_list(r), 1),
    "offset with a total of none": (0, offset(**TOTAL), lambda r, u: offset_list(r), 1),
    "offset without a total": (25, offset(), lambda r, u: offset_list(r, total=False), 3),
    "offset without a total, the last page full": (30, offset(), lambda r, u: offset_list(r, total=False), 4),
    "offset by other words": (25, one(params={"count": 10}, records=".items", paginate={
        "offset": {"offset_param": "skip", "limit_param": "count", "total": ".total"}}),
        lambda r, u: offset_list(r, offset_param="skip", limit_param="count"), 3),
    "page with pages": (25, one(records=".items", paginate={"page": PAGES}), lambda r, u: page_list(r), 3),
    "page with a total": (25, one(records=".items", params={"per_page": 10}, paginate={"page": TOTAL}),
                          lambda r, u: page_list(r, told="total"), 3),
    "page with more": (30, one(records=".items", paginate={"page": {"more": ".has_more"}}),
                       lambda r, u: page_list(r, told="more"), 3),
    "page from 0": (25, one(records=".items", paginate={"page": {"first": 0, "page_param": "p", **PAGES}}),
                    lambda r, u: page_list(r, first=0, param="p"), 3),
    "page, nothing told": (30, one(records=".items", paginate={"page": {}}), lambda r, u: page_list(r, told=None), 4),
    "cursor in the body": (25, one(records=".items", paginate={"cursor": {"param": "cursor", "cursor": ".next_cursor"}}),
                           lambda r, u: cursor_list(r), 3),
    "cursor in a header": (25, one(records=".items", paginate={"cursor": {"param": "cursor", "header": "X-Next"}}),
                           lambda r, u: cursor_list(r, header="X-Next"), 3),
    "next, absolute": (25, one(next=".next"), lambda r, u: next_list(r, u + "/items"), 3),
    "next, an absolute path": (25, one(next=".next"), lambda r, u: next_list(r, "/items"), 3),
    "next, a relative path": (25, one(next=".next"), lambda r, u: next_list(r, "items"), 3),
    "next, a query": (25, one(next=".next"), lambda r, u: next_list(r, ""), 3),
    "next, the long way": (25, one(paginate={"next": {"url": ".next"}}), lambda r, u: next_list(r, u + "/items"), 3),
    "link": (25, one(paginate={"link": {}}), lambda r, u: link_list(r, u + "/items"), 3),
    "link, relative": (25, one(paginate={"link": {}}), lambda r, u: link_list(r, "/items"), 3),
    "none": (25, one(paginate="none"), lambda r, u: lambda request: {"items": r, "next": u + "/items?more"}, 1),
    "auto: offset, limit, total": (25, one(params={"limit": 10}), lambda r, u: offset_list(r), 3),
    "auto: next": (25, one(), lambda r, u: next_list(r, u + "/items"), 3),
    "auto: next, relative": (25, one(), lambda r, u: next_list(r, "/items"), 3),
    "auto: cursor": (25, one(), lambda r, u: cursor_list(r), 3),
    "auto: link": (25, one(), lambda r, u: link_list(r, u + "/items"), 3),
    "auto: nothing more": (25, one(), lambda r, u: lambda request: {"items": r}, 1),
    "auto: a bare array": (25, one(), lambda r, u: lambda request: r, 1),
}


@pytest.mark.parametrize("n, says, handler, n_requests", PAGINATORS.values(), ids=PAGINATORS)
def test_all_records_come_once_in_order(api, tmp_path, n, says, handler, n_requests):
    api.route("/items", handler(items(n), api.url))
    assert ids(Pull(tmp_path, api.url, says).records()) == ids(items(n))
    only_once(api, n_requests)


def test_the_same_list_by_offset_and_by_next_gives_the_same_bytes(api, tmp_path):
    def handler(request):
        body = next_list(items(57), api.url + "/items")(request)
        return {**body, "total": 57}

    api.route("/items", handler)
    by_offset = Pull(tmp_path, api.url, offset(**TOTAL)).run("--to", "-", "-q").stdout
    by_next = Pull(tmp_path, api.url, one(params={"limit": 10}, next=".next")).run("--to", "-", "-q").stdout
    assert by_offset == by_next and by_offset.count("\n") == 57


def test_records_pass_byte_for_byte(api, tmp_path):
    record = '{"z":1.50, "a" : 1e2,"text":"\\u00e9\\/ü",  "big":12345678901234567890123,"dup":1,"dup":2}'
    api.route("/items", Answer(f'{{"items": [ {record} ,{record}]}}'.encode()))
    assert Pull(tmp_path, api.url, one(records=".items")).run("--to", "-", "-q").stdout == f"{record}\n{record}\n"


# ---------------------------------------------------------------- requests as they are meant

def test_params_of_the_first_request_are_not_added_to_a_next_url(api, tmp_path):
    api.route("/items", lambda request: {"items": items(1, first=request.nth), "next": "/more?at=%2Bx%2f~&limit=5"})
    api.route("/more", {"items": items(1, first=5), "next": None})
    Pull(tmp_path, api.url, one(params={"limit": 10, "market": "SE"}, next=".next")).records()
    first, second = api.asked()
    assert first.params == [("limit", "10"), ("market", "SE")]
    assert second.target == "/more?at=%2Bx%2f~&limit=5", "a next URL goes out as it came"


def test_a_base_url_with_a_path_and_values_that_need_escapes(api, tmp_path):
    api.route("/v1/a b/items", {"items": items(1)})
    api.route("/v1/a%20b/items", {"items": items(1)})
    pull = Pull(tmp_path, api.url + "/v1", {"items": {"path": "/a%20b/items", "params": {"q": "tag:new & ü", "n": 5}}})
    assert len(pull.records()) == 1
    assert api.asked()[0].path == "/v1/a%20b/items"
    assert api.asked()[0].params == [("q", "tag:new & ü"), ("n", "5")]


def test_a_post_sends_its_body_with_values(api, tmp_path):
    api.route("/items", {"items": items(2)})
    Pull(tmp_path, api.url, one(method="POST", body={"query": {"from": "2026", "deep": [1, True, None]}, "q": 'a"b'})).records()
    asked = api.asked()
    assert [request.method for request in asked] == ["POST"]
    assert asked[0].header("Content-Type").startswith("application/json")
    assert json.loads(asked[0].body) == {
        "query": {"from": "2026", "deep": [1, True, None]}, "q": 'a"b'}


def test_empty_answers_are_empty_pages(api, tmp_path):
    for answer in (Answer(status=204), Answer(b""), Answer({"items": []})):
        api.route("/items", answer)
        assert Pull(tmp_path, api.url, one(records=".items", next=".next")).records() == []
    only = api.asked()
    assert len(only) == 3


def test_a_204_ends_a_list_of_pages(api, tmp_path):
    full = page_list(items(20), told=None)
    api.route("/items", lambda request: full(request) if request.number("page", 1) < 3 else Answer(status=204))
    assert len(Pull(tmp_path, api.url, one(records=".items", paginate={"page": {}})).records()) == 20
    only_once(api, 3)


# ---------------------------------------------------------------- totals that lie

@pytest.mark.parametrize("total, least, most", [(100, 50, 50), (10**9, 50, 50), (20, 20, 50), (0, 10, 50), (-1, 10, 50)],
                         ids=["too big", "far too big", "too small", "zero", "negative"])
def test_a_total_that_lies_costs_no_record_twice_and_no_endless_run(api, tmp_path, total, least, most):
    api.route("/items", offset_list(items(50), total=total))
    done = Pull(tmp_path, api.url, offset(**TOTAL)).run("--to", "-", "-q", code=None)
    found = [line for line in done.stdout.splitlines()]
    assert done.returncode in (0, 1)
    assert least <= len(found) <= most
    assert found == [line for line in found if line] and not twice(found)
    assert max(api.counts().values()) == 1
    assert len(api.asked()) <= 80


def test_a_total_that_grows_while_pages_come_is_followed(api, tmp_path):
    api.route("/items", offset_list(items(50), total=lambda at: min(50, at + 20)))
    assert ids(Pull(tmp_path, api.url, offset(**TOTAL)).records()) == ids(items(50))
    only_once(api, 5)


def test_pages_shorter_than_asked_for_lose_nothing(api, tmp_path):
    """A server that gives 7 where 10 are asked for: offsets go by what came."""
    plain = offset_list(items(40))
    api.route("/items", lambda request: {"items": plain(request)["items"][:7], "total": 40})
    assert ids(Pull(tmp_path, api.url, offset(**TOTAL)).records()) == ids(items(40))
    assert max(api.counts().values()) == 1


# ---------------------------------------------------------------- side by side

def test_pages_come_side_by_side_once_the_total_is_known(api, tmp_path):
    plain = offset_list(items(90))
    held = together(8, plain)
    api.route("/items", lambda request: plain(request) if request.number("offset", 0) == 0 else held(request))
    assert ids(Pull(tmp_path, api.url, offset(**TOTAL)).records()) == ids(items(90))
    only_once(api, 9)


def test_the_order_is_the_apis_when_later_pages_answer_first(api, tmp_path):
    plain, done = offset_list(items(60)), threading.Event()

    def later_first(request):
        at = request.number("offset", 0)
        if at == 10 and not done.wait(30):
            return Answer(status=400)
        if at == 50:
            done.set()
        return plain(request)

    api.route("/items", later_first)
    assert ids(Pull(tmp_path, api.url, offset(**TOTAL)).records()) == ids(items(60))


def test_no_more_requests_are_under_way_than_the_file_allows(api, tmp_path):
    api.route("/items", lambda request: Answer(offset_list(items(300))(request), wait=0.02))
    assert len(Pull(tmp_path, api.url, offset(**TOTAL), concurrency=3).records()) == 300
    assert api.max_open <= 3
    only_once(api, 30)


def test_a_rate_is_kept(api, tmp_path):
    api.route("/items", offset_list(items(300)))
    assert len(Pull(tmp_path, api.url, offset(**TOTAL), rate="20/s").records()) == 300
    asked = api.asked()
    assert asked[-1].at - asked[0].at > 0.5 * 29 / 20, "30 requests at 20 a second are not done in 0.7 s"


def test_connections_are_kept(api, tmp_path):
    api.route("/items", next_list(items(500), "/items"))
    assert len(Pull(tmp_path, api.url, one(next=".next")).records()) == 500
    assert api.n_connections <= 3


# ---------------------------------------------------------------- parents and children

ALBUMS = {"albums": {"path": "/albums", "params": {"limit": 10}, "records": ".items", "paginate": {"offset": TOTAL}}}
TRACKS = {"tracks": {"for_each": "albums", "path": "/albums/{.id}/tracks", "records": ".items", "next": ".next",
                     "fields": {"album": ".id", "of": "$resource"}}}
BOTH = {**ALBUMS, **TRACKS}


def tracks_of(request):
    album = request.path.split("/")[2]
    at = request.number("at", 0)
    records = [{"id": f"{album}-{n}"} for n in range(at, min(at + 2, 5))]
    return {"items": records, "next": f"?at={at + 2}" if at + 2 < 5 else None}


def expected_tracks(n):
    return [f"i{album}-{track}" for album in range(n) for track in range(5)]


def test_each_record_of_a_parent_has_its_children(api, tmp_path):
    api.route("/albums", offset_list(items(33)))
    api.route("/albums/[^/]+/tracks", tracks_of)
    pull = Pull(tmp_path, api.url, BOTH)
    tracks = pull.records("--resource", "tracks")
    assert ids(tracks) == expected_tracks(33)
    assert all(track["album"] == track["id"].split("-")[0] and track["of"] == "tracks" for track in tracks)
    assert sum(api.counts("/albums/").values()) == len(api.counts("/albums/")) == 33 * 3
    assert len(api.asked("/albums?")) + len([r for r in api.asked() if r.target == "/albums"]) == 4


def test_children_come_side_by_side(api, tmp_path):
    api.route("/albums", offset_list(items(10)))
    held = together(10, tracks_of)
    api.route("/albums/[^/]+/tracks", lambda request: tracks_of(request) if request.get("at") else held(request))
    assert ids(Pull(tmp_path, api.url, BOTH).records("--resource", "tracks")) == expected_tracks(10)


def test_a_child_starts_while_parents_still_come(api, tmp_path):
    started = threading.Event()
    plain = next_list(items(30), "/albums")

    def last_waits(request):
        if request.get("offset") == "20" and not started.wait(30):
            return Answer({"message": "no child came before the last parent"}, 400)
        return plain(request)

    def track(request):
        started.set()
        return tracks_of(request)

    api.route("/albums", last_waits)
    api.route("/albums/[^/]+/tracks", track)
    pull = Pull(tmp_path, api.url, {"albums": {"path": "/albums", "next": ".next"}, **TRACKS})
    assert ids(pull.records("--resource", "tracks")) == expected_tracks(30)


def test_the_next_parents_are_asked_for_before_the_children_run_out(api, tmp_path):
    """Requests stay under way side by side across the pages of a parent that come one after another."""
    asked_before = []
    plain = next_list(items(120), "/albums", limit=40)

    def album(request):
        asked_before.append(len(api.asked("/albums/")))
        return plain(request)

    api.route("/albums", album)
    api.route("/albums/[^/]+/tracks", {"items": []})
    pull = Pull(tmp_path, api.url, {"albums": {"path": "/albums", "next": ".next"}, **TRACKS}, concurrency=4)
    assert ids(pull.records("--resource", "albums,tracks")) == ids(items(120))
    assert len(asked_before) == 3 and asked_before[1] < 40 and asked_before[2] < 80


def test_values_of_a_parent_stand_in_path_params_headers_and_output(api, tmp_path):
    names = ["a b", "x/y?z#&", "ü{1}", "%41", "...", "1.50"]
    api.route("/parents", {"rows": [{"id": n, "name": name, "tags": [name, 1]} for n, name in enumerate(names)]})
    api.route("/children/[^/]*/of", {"rows": [{"c": 1}]})
    Pull(tmp_path, api.url, {
        "parents": {"path": "/parents"},
        "children": {"for_each": "parents", "path": "/children/{.name}/of", "params": {"q": "<{.name}>", "n": "{.id}"},
                     "headers": {"X-N": "n{.id}"}, "fields": {"parent": ".name", "tags": ".tags"}},
    }).run("--to", str(tmp_path / "out"))
    asked = [request for request in api.asked("/children")]
    assert sorted(request.path for request in asked) == sorted(
        "/children/" + urllib.parse.quote(name, safe="") + "/of" for name in names)
    assert sorted(request.get("q") for request in asked) == sorted(f"<{name}>" for name in names)
    assert sorted((request.get("n"), request.header("X-N")) for request in asked) == [(str(n), f"n{n}") for n in range(6)]
    children = [record for key, records in objects(tmp_path / "out").items() if "children" in key for record in records]
    assert [(child["parent"], child["tags"]) for child in children] == [(name, [name, 1]) for name in names]


def test_children_of_children(api, tmp_path):
    api.route("/a", {"rows": [{"id": n} for n in range(3)]})
    api.route("/a/./b", lambda r: {"rows": [{"id": int(r.path[3]) * 10 + n} for n in range(3)]})
    api.route("/b/[0-9]+/c", lambda r: {"rows": [{"id": int(r.path.split("/")[2]) * 10 + n} for n in range(2)]})
    pull = Pull(tmp_path, api.url, {"c": {"for_each": "b", "path": "/b/{.id}/c"}, "b": {"for_each": "a", "path": "/a/{.id}/b"},
                                    "a": {"path": "/a"}})
    assert ids(pull.records("--resource", "c")) == [a * 100 + b * 10 + c for a in range(3) for b in range(3) for c in range(2)]
    assert len(api.asked()) == 1 + 3 + 9


def test_a_resource_on_request_is_left_alone_until_it_is_asked_for(api, tmp_path):
    api.route("/items", {"items": items(3)})
    api.route("/other", {"items": items(2)})
    pull = Pull(tmp_path, api.url, {"items": {"path": "/items"}, "other": {"path": "/other", "on_request": True}})
    assert len(pull.records()) == 3 and not api.asked("/other")
    assert len(pull.records("--resource", "other")) == 2
    assert len(api.asked("/items")) == 1
