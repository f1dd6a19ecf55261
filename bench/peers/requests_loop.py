# SPDX-License-Identifier: Apache-2.0
"""What a script does with one requests session: albums by their `next` links, then each album's tracks, into two files of JSON
lines. usage: requests_loop.py URL FOLDER MAX_ALBUMS; prints {"pages", "records"}."""
import json
import os
import sys
import time

import requests


class Api:
    def __init__(self, url):
        self.url, self.session, self.n_pages, self.renew_at = url, requests.Session(), 0, 0.0

    def login(self):
        answer = self.session.post(self.url + "/api/token", auth=("client", "secret"), data={"grant_type": "client_credentials"},
                                   timeout=30)
        answer.raise_for_status()
        token = answer.json()
        self.session.headers["Authorization"] = "Bearer " + token["access_token"]
        self.renew_at = time.monotonic() + token["expires_in"] - 60

    def get(self, url):
        if time.monotonic() > self.renew_at:
            self.login()
        answer = self.session.get(url, timeout=30)
        answer.raise_for_status()
        self.n_pages += 1
        return answer.json()


def main():
    url, folder, most = sys.argv[1], sys.argv[2], int(sys.argv[3])
    api, albums, n_tracks = Api(url), [], 0
    os.makedirs(folder)
    with open(os.path.join(folder, "albums.jsonl"), "w", encoding="utf-8") as out:
        at = url + "/v1/browse/new-releases?limit=50"
        while at and len(albums) < most:
            page = api.get(at)["albums"]
            for album in page["items"]:
                out.write(json.dumps(album) + "\n")
                albums.append(album["id"])
            at = page["next"]
    with open(os.path.join(folder, "tracks.jsonl"), "w", encoding="utf-8") as out:
        for album in albums:
            at = f"{url}/v1/albums/{album}/tracks?limit=50"
            while at:
                page = api.get(at)
                for track in page["items"]:
                    out.write(json.dumps(track) + "\n")
                    n_tracks += 1
                at = page["next"]
    print(json.dumps({"pages": api.n_pages, "records": len(albums) + n_tracks}))


if __name__ == "__main__":
    main()
