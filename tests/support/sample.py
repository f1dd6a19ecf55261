# SPDX-License-Identifier: Apache-2.0
"""The sample Web API of `leat serve --sample spotify`: a client for it, and its own page."""
import csv

import requests
from support.leat import ROOT

SONGS = ROOT / "examples/spotify/songs.csv"
SHARED = ROOT.parent / "shared/data/spotify"


def songs(path=SONGS):
    """The rows of a catalogue's CSV file, as Python's own reader has them."""
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


class Api:
    """Asks the sample as an app with a token of its own."""

    def __init__(self, url, client="client", secret="secret"):
        self.url = url
        self.session = requests.Session()
        self.auth = (client, secret)

    def token(self, **form):
        return self.session.post(self.url + "/api/token", auth=self.auth, timeout=30,
                                 data={"grant_type": "client_credentials", **form})

    def login(self):
        answer = self.token()
        assert answer.status_code == 200, answer.text
        self.session.headers["Authorization"] = "Bearer " + answer.json()["access_token"]
        return self

    def get(self, path, **params):
        url = path if path.startswith("http") else self.url + "/v1" + path
        return self.session.get(url, params=params, timeout=30)

    def items(self, path, wrapped=None, **params):
        """All items of a list, by its `next` links."""
        page = self.get(path, **params).json()
        while True:
            page = page[wrapped] if wrapped else page
            yield from page["items"]
            if page["next"] is None:
                return
            page = self.get(page["next"]).json()

    def state(self):
        return requests.get(self.url + "/_leat/sample", timeout=30).json()

    def change(self, query="", **settings):
        """Changes settings; the answer is the state."""
        answer = requests.post(self.url + "/_leat/sample" + query, json=settings, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()
