# SPDX-License-Identifier: Apache-2.0
"""Lists that are asked for in the body of a POST: page numbers, offsets, cursors, and where an incremental list begins."""
import json

import pytest

from support.pages import items
from support.pull import Pull, ids


def post(body=None, **says):
    return {"items": {"path": "/items", "method": "POST", "records": ".items", **({} if body is None else {"body": body}), **says}}


def within(body, path):
    for name in path.split("."):
        body = body.get(name) if isinstance(body, dict) else None
    return body


def answer(records, at, size=10):
    """The records from `at(body)` on. What stands in the query is not looked at."""
    def handler(request):
        start = at(json.loads(request.body))
        more = start + size < len(records)
        return {"items": records[start:start + size], "total": len(records), "pages": -(-len(records) // size),
                "has_more": more, "next": str(start + size) if more else None}
    return handler


def page(body):
    return (body.get("page", 1) - 1) * 10


def by(path):
    return lambda body: int(within(body, path) or 0)


LISTS = {
    # name: (what the file says, where the body's page begins, the values that the API must have seen)
    "pages": (post({"q": "x"}, paginate={"page": {"in": "body", "pages": ".pages"}}), page, "page", [1, 2, 3]),
    "pages without a body": (post(paginate={"page": {"in": "body", "pages": ".pages"}}), page, "page", [1, 2, 3]),
    "pages, the last one short": (post({"size": 10}, paginate={"page": {"in": "body", "limit_param": "size"}}), page, "page",
                                  [1, 2, 3]),
    "pages from where the body says": (post({"page": 2}, paginate={"page": {"in": "body", "pages": ".pages"}}), page, "page",
                                       [2, 3]),
    "offset": (post({"paging": {"limit": 10}}, paginate={"offset": {
        "in": "body", "offset_param": "paging.skip", "limit_param": "paging.limit", "total": ".total"}}), by("paging.skip"),
        "paging.skip", [0, 10, 20]),
    "a cursor": (post({"q": 1}, paginate={"cursor": {"in": "body", "param": "variables.after", "cursor": ".next"}}),
                 by("variables.after"), "variables.after", [None, "10", "20"]),
    "a cursor where the body has a number": (post('{"after": 0}', paginate={"cursor": {
        "in": "body", "param": "after", "cursor": ".next"}}), by("after"), "after", [0, 10, 20]),
}


@pytest.mark.parametrize("says, at, name, seen", LISTS.values(), ids=LISTS)
def test_the_place_of_a_page_stands_in_the_body(api, tmp_path, says, at, name, seen):
    api.route("/items", answer(items(25), at))
    first = 10 if name == "page" and seen[0] == 2 else 0
    assert ids(Pull(tmp_path, api.url, says).records()) == ids(items(25)[first:])
    bodies = [json.loads(request.body) for request in api.asked("/items")]
    assert sorted((within(body, name) for body in bodies), key=str) == sorted(seen, key=str)
    assert [request.target for request in api.asked("/items")] == ["/items"] * len(seen)
    given = says["items"].get("body", {})
    for body in bodies:
        assert {key: body[key] for key in ("q", "size") if key in body} == \
            {key: value for key, value in (given.items() if isinstance(given, dict) else ()) if key in ("q", "size")}


def test_a_later_run_asks_in_the_body_for_what_is_new(api, tmp_path):
    rows = items(5)
    api.route("/items", lambda request: {"items": [row for row in rows if row["n"] >= json.loads(request.body)["filter"]["from"]]})
    pull = Pull(tmp_path, api.url, post({"filter": {"from": 0, "state": "all"}}, paginate="none", incremental={
        "field": ".n", "param": "filter.from", "in": "body"}))
    pull.run()
    rows += items(2, 5)
    pull.run()
    assert [json.loads(request.body) for request in api.asked("/items")] == \
        [{"filter": {"from": n, "state": "all"}} for n in (0, 4)]
    assert sorted(record["n"] for records in pull.objects().values() for record in records) == list(range(7))


def test_a_cursor_that_is_not_there_though_there_is_more_is_an_error(api, tmp_path):
    api.route("/items", {"items": items(3), "has_more": True})
    says = {"items": {"path": "/items", "records": ".items",
                      "paginate": {"cursor": {"param": "after", "cursor": ".itms[-1].id", "more": ".has_more"}}}}
    done = Pull(tmp_path, api.url, says).run(code=1)
    assert "resource items: `more` says that there are more records, but there is no cursor" in done.stderr


def test_the_last_record_of_a_page_can_be_the_cursor(api, tmp_path):
    rows = items(25)

    def after(request):
        at = 1 + next((n for n, row in enumerate(rows) if row["id"] == request.get("starting_after")), -1)
        return {"data": rows[at:at + 10], "has_more": at + 10 < len(rows)}

    api.route("/items", after)
    says = {"items": {"path": "/items", "records": ".data",
                      "paginate": {"cursor": {"param": "starting_after", "cursor": ".data[-1].id", "more": ".has_more"}}}}
    assert ids(Pull(tmp_path, api.url, says).records()) == ids(rows)
    assert [request.get("starting_after") for request in api.asked("/items")] == [None, "i9", "i19"]
