# SPDX-License-Identifier: Apache-2.0
"""Every kind of auth, the life of a token, and where credentials go: to the API's own origin, into requests, and nowhere else."""
import base64
import pathlib

import pytest

from support.hostile import Answer, Tokens
from support.pages import items, next_list, offset_list, script
from support.pull import Pull, ids, wait_for, where_secrets_lie

SECRET = "s3cret-v4lue"
ONE_PAGE = {"items": {"path": "/items"}}


def by_offset(limit=10, **more):
    return {"items": {"path": "/items", "params": {"limit": limit}, "records": ".items",
                      "paginate": {"offset": {"total": ".total"}}, **more}}


def client_credentials(tokens, **more):
    return {"oauth2_client_credentials": {"token_url": tokens.url, "client_id": tokens.client_id,
                                          "client_secret": "${THE_SECRET}", **more}}


def secret_env(tokens):
    return {"THE_SECRET": tokens.client_secret}


# ---------------------------------------------------------------- kinds

@pytest.mark.parametrize("auth, header, value", [
    ({"none": {}}, "Authorization", []),
    ({"api_key": {"in": "header", "name": "X-Api-Key", "value": SECRET}}, "X-Api-Key", [SECRET]),
    ({"api_key": {"in": "cookie", "name": "session", "value": SECRET}}, "Cookie", [f"session={SECRET}"]),
    ({"basic": {"username": "ann", "password": "a:b ü"}}, "Authorization",
     ["Basic " + base64.b64encode("ann:a:b ü".encode()).decode()]),
    ({"basic": {"username": SECRET}}, "Authorization", ["Basic " + base64.b64encode(f"{SECRET}:".encode()).decode()]),
    ({"basic": {"username": SECRET, "password": ""}}, "Authorization",
     ["Basic " + base64.b64encode(f"{SECRET}:".encode()).decode()]),
    ({"bearer": {"token": SECRET}}, "Authorization", [f"Bearer {SECRET}"]),
], ids=["none", "api key in a header", "api key in a cookie", "basic", "basic without a password", "basic, an empty one", "bearer"])
def test_a_credential_comes_once_in_its_header(api, tmp_path, auth, header, value):
    api.route("/items", offset_list(items(25)))
    assert ids(Pull(tmp_path, api.url, by_offset(), auth=auth).records()) == ids(items(25))
    assert [request.all_of(header) for request in api.asked()] == [value] * 3
    if header != "Cookie":
        assert all(request.header("Cookie") is None for request in api.asked())


def test_an_api_key_in_the_query_comes_with_every_request(api, tmp_path):
    api.route("/items", offset_list(items(25)))
    auth = {"api_key": {"in": "query", "name": "key", "value": "a b&c"}}
    assert len(Pull(tmp_path, api.url, by_offset(), auth=auth).records()) == 25
    assert [[v for k, v in request.params if k == "key"] for request in api.asked()] == [["a b&c"]] * 3


@pytest.mark.parametrize("where", ["basic", "form"])
def test_client_credentials_get_one_token_for_all_requests(api, tmp_path, where):
    tokens = Tokens(api, wait=0.2)
    api.route("/items", tokens.guard(offset_list(items(95))))
    pull = Pull(tmp_path, api.url, by_offset(), env=secret_env(tokens),
                auth=client_credentials(tokens, credentials_in=where, scope="read all"))
    assert ids(pull.records()) == ids(items(95))
    asked = api.asked("/token")
    assert len(asked) == tokens.n == 1 and asked[0].method == "POST"
    assert asked[0].header("Content-Type") == "application/x-www-form-urlencoded"
    assert tokens.credentials(asked[0]) == (tokens.client_id, tokens.client_secret, where)
    assert asked[0].form["grant_type"] == "client_credentials" and asked[0].form["scope"] == "read all"
    assert ("client_secret" in asked[0].form) == (where == "form")
    assert [request.all_of("Authorization") for request in api.asked("/items")] == [["Bearer acc3ss-1-t0ken"]] * 10


def test_a_token_whose_type_is_spelled_small_is_a_bearer_token(api, tmp_path):
    api.route("/token", {"access_token": "abc", "token_type": "bearer"})
    api.route("/items", {"items": items(1)})
    auth = {"oauth2_client_credentials": {"token_url": api.url + "/token", "client_id": "a", "client_secret": "b"}}
    assert len(Pull(tmp_path, api.url, ONE_PAGE, auth=auth).records()) == 1
    assert api.asked("/items")[0].all_of("Authorization") == ["Bearer abc"]


def test_a_refresh_token_that_rotates_is_used_once_each(api, tmp_path):
    tokens = Tokens(api, expires_in=1, refresh_token="r3fresh-0-t0ken", rotate=True)
    api.route("/items", tokens.guard(lambda request: Answer(next_list(items(60), "/items")(request), wait=0.25)))
    auth = {"oauth2_refresh_token": {"token_url": tokens.url, "client_id": tokens.client_id, "credentials_in": "form",
                                     "client_secret": tokens.client_secret, "refresh_token": "${REFRESH}"}}
    pull = Pull(tmp_path, api.url, {"items": {"path": "/items", "next": ".next"}}, auth=auth,
                env={"REFRESH": "r3fresh-0-t0ken"})
    assert ids(pull.records()) == ids(items(60))
    sent = [request.form["refresh_token"] for request in api.asked("/token")]
    assert sent == [f"r3fresh-{n}-t0ken" for n in range(len(sent))] and len(sent) >= 2
    assert tokens.n_refused == 0


# ---------------------------------------------------------------- the life of a token

def test_a_token_is_renewed_ahead_of_its_end(api, tmp_path):
    """60 s ahead, or a tenth of its life where that is less: no request is ever refused, and none waits for the new one."""
    tokens = Tokens(api, expires_in=2)
    api.route("/items", tokens.guard(lambda request: Answer(next_list(items(80), "/items")(request), wait=0.3)))
    pull = Pull(tmp_path, api.url, {"items": {"path": "/items", "next": ".next"}}, env=secret_env(tokens),
                auth=client_credentials(tokens))
    assert ids(pull.records()) == ids(items(80))
    assert len(api.asked("/items")) == 8
    assert 2 <= tokens.n <= 4


def test_a_token_of_one_second_is_not_asked_for_with_every_request(api, tmp_path):
    tokens = Tokens(api, expires_in=1, honest=True)
    api.route("/items", tokens.guard(lambda request: Answer(next_list(items(300), "/items")(request), wait=0.05)))
    pull = Pull(tmp_path, api.url, {"items": {"path": "/items", "next": ".next"}}, env=secret_env(tokens),
                auth=client_credentials(tokens))
    assert ids(pull.records()) == ids(items(300))
    assert 2 <= tokens.n < 20


def test_a_token_revoked_in_the_middle_is_renewed_once_for_all_requests(api, tmp_path):
    tokens = Tokens(api, wait=0.2)
    plain = offset_list(items(300))

    def revoking(request):
        if request.get("offset") == "100" and request.nth == 0:
            tokens.revoke()
        return Answer(plain(request), wait=0.02)

    api.route("/items", tokens.guard(revoking))
    pull = Pull(tmp_path, api.url, by_offset(), env=secret_env(tokens), auth=client_credentials(tokens))
    assert ids(pull.records()) == ids(items(300))
    assert tokens.n == 2
    assert max(api.counts("/items").values()) <= 2


def test_a_401_that_stays_fails_after_one_renewal(api, tmp_path):
    tokens = Tokens(api)
    api.route("/items", Answer({"error": {"status": 401, "message": "Token revoked by its owner"}}, 401))
    pull = Pull(tmp_path, api.url, ONE_PAGE, env=secret_env(tokens), auth=client_credentials(tokens))
    done = pull.run("--to", "-", code=1)
    assert "Token revoked by its owner" in done.stderr and "401" in done.stderr and "items" in done.stderr
    assert len(api.asked("/items")) == 2 and tokens.n == 2


def test_a_401_to_a_fixed_credential_is_not_tried_again(api, tmp_path):
    api.route("/items", Answer({"message": "who are you?"}, 401))
    done = Pull(tmp_path, api.url, ONE_PAGE, auth={"bearer": {"token": SECRET}}).run("--to", "-", code=1)
    assert "who are you?" in done.stderr
    assert len(api.asked()) == 1


def test_a_wrong_client_secret_is_told_by_the_endpoints_own_words(api, tmp_path):
    tokens = Tokens(api)
    pull = Pull(tmp_path, api.url, ONE_PAGE, env={"THE_SECRET": "wr0ng-s3cret"}, auth=client_credentials(tokens))
    done = pull.run("--to", "-", "-v", code=1)
    assert "Invalid client secret" in done.stderr and "/token" in done.stderr
    assert len(api.asked("/token")) == 1 and not api.asked("/items")
    assert "wr0ng-s3cret" not in done.stderr + done.stdout


def test_a_token_endpoint_that_fails_for_a_while_is_asked_again(api, tmp_path):
    tokens = Tokens(api)
    api.route("/token", script(Answer({}, 500), Answer(reset=True), then=tokens.answer))
    api.route("/items", tokens.guard(lambda request: {"items": items(3)}))
    pull = Pull(tmp_path, api.url, ONE_PAGE, env=secret_env(tokens), auth=client_credentials(tokens))
    assert len(pull.records()) == 3
    assert len(api.asked("/token")) == 3


@pytest.mark.parametrize("answer", [
    Answer(b"<html>log in</html>", kind="text/html"), Answer({"token": "x"}), Answer({"access_token": 7}), Answer(b""),
], ids=["html", "another word", "a number", "nothing"])
def test_a_token_answer_without_a_token_is_an_error(api, tmp_path, answer):
    api.route("/token", answer)
    auth = {"oauth2_client_credentials": {"token_url": api.url + "/token", "client_id": "a", "client_secret": "b"}}
    done = Pull(tmp_path, api.url, ONE_PAGE, auth=auth, retry={"attempts": 2}).run("--to", "-", code=1)
    assert f"asking for a token: POST {api.url}/token: " in done.stderr
    assert "access_token" in done.stderr or "no JSON object" in done.stderr
    assert not api.asked("/items")


# ---------------------------------------------------------------- where credentials go

CREDENTIALS = {
    "bearer": {"bearer": {"token": SECRET}},
    "basic": {"basic": {"username": "ann", "password": SECRET}},
    "header": {"api_key": {"in": "header", "name": "X-Api-Key", "value": SECRET}},
    "query": {"api_key": {"in": "query", "name": "key", "value": SECRET}},
    "cookie": {"api_key": {"in": "cookie", "name": "key", "value": SECRET}},
}


def came(request):
    """All that a request brought, as one text, what Basic hides too."""
    text = repr((request.target, request.headers, request.body))
    for value in request.all_of("Authorization"):
        text += base64.b64decode(value.removeprefix("Basic ") + "==", altchars=b"-_").decode("latin-1") if "Basic" in value else ""
    return text


@pytest.mark.parametrize("auth", CREDENTIALS.values(), ids=CREDENTIALS)
@pytest.mark.parametrize("way", ["redirect", "next"])
def test_a_credential_does_not_go_to_another_origin(api, other, tmp_path, auth, way):
    if way == "redirect":
        api.route("/items", Answer(status=302, headers={"Location": other.url + "/elsewhere"}))
    else:
        api.route("/items", {"items": items(1), "next": other.url + "/elsewhere"})
    other.route("/elsewhere", {"items": items(1, first=1), "next": None})
    pull = Pull(tmp_path, api.url, {"items": {"path": "/items", "next": ".next"}}, auth=auth,
                headers={"X-Other-Key": "${MORE}"}, params={"also": "${MORE}"}, env={"MORE": "m0re-s3cret"})
    assert "i1" in ids(pull.records())
    assert SECRET in came(api.asked()[0]) and "m0re-s3cret" in came(api.asked()[0])
    assert len(other.asked()) == 1
    assert SECRET not in came(other.asked()[0]) and "m0re-s3cret" not in came(other.asked()[0])


def test_a_credential_goes_along_with_a_redirect_within_the_origin(api, tmp_path):
    api.route("/items", Answer(status=307, headers={"Location": "/v2/items?x=1"}))
    api.route("/v2/items", {"items": items(2)})
    assert len(Pull(tmp_path, api.url, ONE_PAGE, auth=CREDENTIALS["bearer"]).records()) == 2
    assert [request.header("Authorization") for request in api.asked()] == [f"Bearer {SECRET}"] * 2


def test_a_token_request_that_is_redirected_keeps_its_secret(api, other, tmp_path):
    tokens = Tokens(other)
    api.route("/token", Answer(status=307, headers={"Location": other.url + "/token"}))
    api.route("/items", {"items": items(2)})
    auth = {"oauth2_client_credentials": {"token_url": api.url + "/token", "client_id": tokens.client_id,
                                          "client_secret": tokens.client_secret, "credentials_in": "form"}}
    Pull(tmp_path, api.url, ONE_PAGE, auth=auth).run("--to", "-", code=1)
    assert all(tokens.client_secret not in came(request) for request in other.asked())


# ---------------------------------------------------------------- where secrets do not go

@pytest.mark.parametrize("auth", CREDENTIALS.values(), ids=CREDENTIALS)
def test_no_text_shows_a_secret(api, tmp_path, auth):
    """Not with -v, not in an error, not in a retry, not in any file, not even where the API says it back."""
    api.route("/items", script(Answer(status=500), {"items": items(10), "next": f"/items?page=2&echo={SECRET}"},
                               then=Answer({"error": {"message": f"your {SECRET} is not good"}}, 403)))
    pull = Pull(tmp_path, api.url, {"items": {"path": "/items", "next": ".next"}}, retry={"attempts": 3}, auth=auth)
    said = pull.path.read_text().replace(SECRET, "${THE_SECRET}")
    pull.path.write_text(said)
    pull.env["THE_SECRET"] = SECRET
    done = pull.run("-v", code=1)
    assert "403" in done.stderr and "is not good" in done.stderr
    assert SECRET not in done.stderr + done.stdout
    for encoded in (base64.b64encode(f"ann:{SECRET}".encode()).decode(), SECRET[::-1]):
        assert encoded not in done.stderr
    assert not where_secrets_lie(tmp_path, SECRET)
    assert SECRET not in pull.run("--dry-run").stdout
    assert SECRET not in "".join(pull.run("--to", "-", "-o", kind, code=None).stderr for kind in ("singer", "airbyte"))


def test_tokens_and_client_secrets_stay_in_memory(api, tmp_path):
    tokens = Tokens(api)
    holding = []

    def hold(request):
        holding.append(request)
        return Answer(silent=True) if request.get("offset") == "20" else offset_list(items(30), total=False)(request)

    api.route("/items", tokens.guard(hold))
    pull = Pull(tmp_path, api.url, {"items": {"path": "/items", "params": {"limit": 10}, "records": ".items",
                                              "paginate": {"offset": {}}}}, env=secret_env(tokens), auth=client_credentials(tokens))
    process = pull.start("-v")
    wait_for(lambda: len(holding) == 3, "the third page")
    proc = pathlib.Path(f"/proc/{process.pid}")
    secrets = (tokens.client_secret, "acc3ss-1-t0ken")
    assert not any(secret.encode() in (proc / "cmdline").read_bytes() for secret in secrets)
    process.terminate()
    out, err = process.communicate(timeout=60)
    assert not any(secret in out + err for secret in secrets)
    assert not where_secrets_lie(tmp_path, *secrets)
    assert process.returncode == 130


# ---------------------------------------------------------------- variables

def test_variables_come_from_the_environment_and_from_a_file_beside_the_pipeline(api, tmp_path):
    api.route("/items", {"items": items(1)})
    pull = Pull(tmp_path, api.url, ONE_PAGE, auth={"bearer": {"token": "${TOKEN_A}"}},
                headers={"X-B": "${TOKEN_B}", "X-C": "${TOKEN_C}", "X-D": "${TOKEN_D:-of the file}"})
    (tmp_path / ".env").write_text("# tokens\nTOKEN_A=from-env-file\nexport TOKEN_B=\"quoted # b\"\n\nTOKEN_C='single $x'\n")
    pull.records()
    seen = api.asked()[-1]
    assert seen.header("Authorization") == "Bearer from-env-file"
    assert (seen.header("X-B"), seen.header("X-C"), seen.header("X-D")) == ("quoted # b", "single $x", "of the file")
    pull.records(env={"TOKEN_A": "from-outside", "TOKEN_D": "d"})
    seen = api.asked()[-1]
    assert seen.header("Authorization") == "Bearer from-outside" and seen.header("X-D") == "d"


def test_a_missing_variable_is_named_with_its_place(api, tmp_path):
    pull = Pull(tmp_path, api.url, ONE_PAGE, auth={"bearer": {"token": "${NO_SUCH_TOKEN}"}})
    done = pull.run(code=2)
    assert "NO_SUCH_TOKEN" in done.stderr and "api.yaml:" in done.stderr
    assert not api.asked()
