# SPDX-License-Identifier: Apache-2.0
"""A later run takes only what is new since the one before, by a field of the records."""
from support.hostile import Answer
from support.pages import items, offset_list
from support.pull import Pull, ids, quick


def says(**incremental):
    return {"items": {"path": "/items", "records": ".items", "next": ".next", "incremental": incremental}}


class Feed:
    """Records with times that grow; `since` chooses those at or after it. A page has five."""

    def __init__(self, descending=False, honours=True):
        self.records, self.descending, self.honours = [], descending, honours

    def add(self, *pairs):
        self.records += [{"id": name, "at": at} for name, at in pairs]

    def __call__(self, request):
        since = request.get("since", "") if self.honours else ""
        chosen = [r for r in self.records if str(r["at"]) >= since]
        if self.descending:
            chosen = sorted(chosen, key=lambda r: str(r["at"]), reverse=True)
        at = request.number("skip", 0)
        more = at + 5 < len(chosen)
        return {"items": chosen[at:at + 5], "next": f"/items?since={since}&skip={at + 5}" if more else None}


def days(first, last):
    return [(f"r{day}", f"2026-01-{day:02}") for day in range(first, last + 1)]


def test_the_cursor_goes_into_the_request_and_nothing_comes_twice(api, tmp_path):
    feed = Feed()
    feed.add(*days(1, 12))
    api.route("/items", feed)
    pull = Pull(tmp_path, api.url, says(field=".at", start="2026-01-03", param="since"))
    pull.run("-q")
    assert api.asked()[0].get("since") == "2026-01-03"
    assert ids(pull.lake()) == [f"r{day}" for day in range(3, 13)]
    feed.add(("r12b", "2026-01-12"), *days(13, 14))
    api.forget()
    pull.run("-q")
    assert [request.get("since") for request in api.asked()] == ["2026-01-12"]
    assert sorted(ids(pull.lake())) == sorted([f"r{day}" for day in range(3, 15)] + ["r12b"])
    api.forget()
    pull.run("-q")
    assert len(api.asked()) == 1
    assert len(pull.lake()) == 13, "the record at the cursor is known by its bytes"


def test_an_api_that_does_not_choose_is_filtered_here(api, tmp_path):
    feed = Feed(honours=False)
    feed.add(*days(1, 12))
    api.route("/items", feed)
    pull = Pull(tmp_path, api.url, says(field=".at"))
    pull.run("-q")
    feed.add(*days(13, 14))
    done = pull.run()
    assert sorted(ids(pull.lake())) == sorted(f"r{day}" for day in range(1, 15))
    assert "12" in done.stderr or "12" in done.stdout, "what was skipped is counted"


def test_numbers_are_compared_as_numbers(api, tmp_path):
    feed = Feed(honours=False)
    feed.add(("a", 9), ("b", 10), ("c", 100))
    api.route("/items", feed)
    pull = Pull(tmp_path, api.url, says(field=".at"))
    pull.run("-q")
    feed.add(("d", 99), ("e", 101))
    pull.run("-q")
    assert sorted(ids(pull.lake())) == ["a", "b", "c", "e"]


def test_newest_first_stops_at_what_is_known(api, tmp_path):
    feed = Feed(descending=True, honours=False)
    feed.add(*days(1, 25))
    api.route("/items", feed)
    pull = Pull(tmp_path, api.url, says(field=".at", order="descending"))
    pull.run("-q")
    assert len(api.asked()) == 5
    feed.add(*days(26, 27))
    api.forget()
    pull.run("-q")
    assert len(api.asked()) <= 2, "older pages are not asked for"
    assert sorted(ids(pull.lake())) == sorted(f"r{day}" for day in range(1, 28))


def test_a_run_that_failed_does_not_move_the_cursor_past_what_it_did_not_see(api, tmp_path):
    """Newest first: the newest came, older new ones did not."""
    feed = Feed(descending=True, honours=False)
    feed.add(*days(1, 25))
    failing = [True]
    api.route("/items", lambda request: Answer({}, 404) if failing and request.number("skip", 0) == 10 else feed(request))
    pull = Pull(tmp_path, api.url, says(field=".at", order="descending"), **quick())
    pull.run("-q", code=1)
    failing.clear()
    pull.run("-q")
    assert sorted(ids(pull.lake())) == sorted(f"r{day}" for day in range(1, 26))


def test_fresh_forgets_the_cursor(api, tmp_path):
    feed = Feed()
    feed.add(*days(1, 3))
    api.route("/items", feed)
    pull = Pull(tmp_path, api.url, says(field=".at", start="2026-01-01", param="since"))
    pull.run("-q")
    api.forget()
    pull.run("-q", "--fresh")
    assert api.asked()[0].get("since") == "2026-01-01"
    assert sorted(set(ids(pull.lake()))) == ["r1", "r2", "r3"]


def test_a_record_without_the_field_is_told(api, tmp_path):
    api.route("/items", {"items": items(2), "next": None})
    done = Pull(tmp_path, api.url, says(field=".at")).run(code=None)
    assert done.returncode in (0, 1)
    assert done.returncode == 0 or ".at" in done.stderr


def test_a_field_that_no_record_has_is_told_once(api, tmp_path):
    api.route("/items", offset_list(items(25)))
    done = Pull(tmp_path, api.url, {"items": {
        "path": "/items", "params": {"limit": 10}, "records": ".items", "paginate": {"offset": {"total": ".total"}},
        "incremental": {"field": ".updatd"}}}).run()
    assert done.stderr.count("resource items: no record of a page has a value at incremental.field (.updatd)") == 1
