# SPDX-License-Identifier: Apache-2.0
"""The scripted API that the tests of `leat pull` lean on does what they say of it."""
import threading

import pytest
import requests

from support.fixtures import api  # noqa: F401
from support.hostile import Answer, Hostile, Tokens
from support.pages import cursor_list, items, link_list, next_list, offset_list, page_list, script, together


def follow(api, handler, step):
    """All records of a list, by `step(answer) -> the next path and query, or None`."""
    api.route("/list", handler)
    found, at = [], "/list"
    while at:
        answer = requests.get(api.url + at if at.startswith("/") else at, timeout=10)
        body = answer.json()
        found += body if isinstance(body, list) else body["items"]
        at = step(answer, body)
    return found


def test_each_list_gives_all_records_once(api):
    records = items(25)

    def by_offset(_, body):
        return f"/list?offset={body['offset'] + 10}" if body["offset"] + 10 < body["total"] else None

    def by_page(_, body):
        return f"/list?page={body['page'] + 1}" if body["page"] < body["pages"] else None

    def by_cursor(_, body):
        return f"/list?cursor={body['next_cursor']}" if body["next_cursor"] else None

    assert follow(api, offset_list(records), by_offset) == records
    assert follow(api, page_list(records), by_page) == records
    assert follow(api, cursor_list(records), by_cursor) == records
    assert follow(api, next_list(records, api.url + "/list"), lambda _, body: body["next"]) == records
    assert follow(api, link_list(records, api.url + "/list"), lambda answer, _: answer.links.get("next", {}).get("url")) == records
    assert len(api.asked()) == 15


def test_requests_are_kept_as_they_came(api):
    api.route("/items", {"items": []})
    session = requests.Session()
    session.post(api.url + "/items?a=1&b=%20x", data=b"hello", headers={"X-One": "1"}, timeout=10)
    session.get(api.url + "/items?a=1&b=%20x", timeout=10)
    first, second = api.asked()
    assert first.method == "POST" and first.body == b"hello" and first.header("x-one") == "1"
    assert first.params == [("a", "1"), ("b", " x")]
    assert second.nth == 1 and second.connection == first.connection
    assert api.counts() == {"/items?a=1&b=%20x": 2}


def test_faults_go_wrong_as_told(api):
    body = {"items": items(10)}
    for name, answer in {"cut": Answer(body, cut=20), "short": Answer(body, length=20),
                         "chunks": Answer(body, chunked=True), "half": Answer(body, chunked=True, cut=30),
                         "reset": Answer(reset=True), "drip": Answer(body, drip=(50, 0.001))}.items():
        api.route("/" + name, answer)
    assert requests.get(api.url + "/chunks", timeout=10).json() == body
    assert requests.get(api.url + "/drip", timeout=10).json() == body
    assert len(requests.get(api.url + "/short", timeout=10).content) == 20
    for name in ("cut", "half", "reset"):
        with pytest.raises(requests.exceptions.RequestException):
            requests.get(api.url + "/" + name, timeout=10).json()


def test_a_script_answers_by_turns_and_requests_wait_for_each_other(api):
    api.route("/turns", script(Answer(status=500), {"n": 1}, then={"n": 2}))
    assert [requests.get(api.url + "/turns", timeout=10).status_code for _ in range(3)] == [500, 200, 200]
    api.route("/together", together(2, lambda request: {"ok": True}))
    found = []
    threads = [threading.Thread(target=lambda: found.append(requests.get(api.url + "/together", timeout=10).status_code))
               for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [200, 200] and api.max_open == 2


def test_a_token_opens_what_is_guarded(api):
    tokens = Tokens(api)
    api.route("/items", tokens.guard(lambda request: {"items": []}))
    assert requests.get(api.url + "/items", timeout=10).status_code == 401
    form = {"grant_type": "client_credentials"}
    assert requests.post(tokens.url, data=form, auth=("the-client", "wrong"), timeout=10).status_code == 400
    token = requests.post(tokens.url, data=form, auth=("the-client", tokens.client_secret), timeout=10).json()
    head = {"Authorization": f"Bearer {token['access_token']}"}
    assert requests.get(api.url + "/items", headers=head, timeout=10).status_code == 200
    tokens.revoke()
    assert requests.get(api.url + "/items", headers=head, timeout=10).status_code == 401
    assert (tokens.n, tokens.n_refused) == (1, 1)


def test_tls_is_trusted_by_its_own_certificate_alone(tmp_path):
    api = Hostile(certificate=tmp_path).start()
    api.route("/items", {"items": []})
    assert requests.get(api.url + "/items", timeout=10, verify=str(api.ca_file)).json() == {"items": []}
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(api.url + "/items", timeout=10)
    api.stop()
