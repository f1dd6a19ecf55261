# SPDX-License-Identifier: Apache-2.0
"""The same with dlt's REST source, children parallelized, into a folder of JSON lines.
usage: dlt_source.py URL FOLDER MAX_ALBUMS; prints {"pages", "records"}."""
import json
import os
import sys

import dlt
from dlt.destinations import filesystem
from dlt.sources.helpers.rest_client.auth import OAuth2ClientCredentials
from dlt.sources.rest_api import rest_api_source

PAGE = 50


def source(url, most):
    return rest_api_source({
        "client": {"base_url": url + "/v1/", "auth": OAuth2ClientCredentials(
            access_token_url=url + "/api/token", client_id="client", client_secret="secret")},
        "resources": [
            {"name": "albums", "max_table_nesting": 0, "endpoint": {
                "path": "browse/new-releases", "params": {"limit": PAGE}, "data_selector": "albums.items",
                "paginator": {"type": "offset", "limit": PAGE, "total_path": "albums.total",
                              "maximum_offset": -(-most // PAGE) * PAGE}}},
            {"name": "tracks", "max_table_nesting": 0, "parallelized": True, "endpoint": {
                "path": "albums/{resources.albums.id}/tracks", "params": {"limit": PAGE}, "data_selector": "items",
                "paginator": {"type": "json_link", "next_url_path": "next"}}},
        ]})


def main():
    url, folder, most = sys.argv[1], sys.argv[2], int(sys.argv[3])
    os.makedirs(folder)
    pipeline = dlt.pipeline("bench", pipelines_dir=os.path.join(folder, "state"), dataset_name="lake",
                            destination=filesystem(bucket_url="file://" + os.path.abspath(folder)))
    pipeline.run(source(url, most), loader_file_format="jsonl")
    counts = pipeline.last_trace.last_normalize_info.row_counts
    albums, tracks = counts.get("albums", 0), counts.get("tracks", 0)
    print(json.dumps({"pages": -(-albums // PAGE) + albums, "records": albums + tracks}))


if __name__ == "__main__":
    main()
