#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes seeded e-commerce sessions as JSON lines at a steady rate: 40 % from the USA, one in a hundred malformed.

usage: generate.py [--rate N] [--seconds N] [--seed N] [--count N]
"""
import argparse
import json
import random
import sys
import time

COUNTRIES = ["Canada", "France", "Germany", "Japan", "Brazil", "Kenya", "Norway", "Spain"]
CITIES = {"USA": "Washington", "Canada": "Toronto", "France": "Paris", "Germany": "Berlin",
          "Japan": "Tokyo", "Brazil": "Recife", "Kenya": "Nairobi", "Norway": "Oslo", "Spain": "Sevilla"}


def item(rng):
    return {"product_code": f"S{rng.randint(10, 72)}_{rng.randint(1000, 4999)}",
            "quantity": rng.randint(1, 9), "in_shopping_cart": rng.random() < 0.4}


def session(rng, number):
    country = "USA" if rng.random() < 0.4 else rng.choice(COUNTRIES)
    return {"session_id": f"live-{number}", "customer_number": rng.randint(100, 500), "city": CITIES[country],
            "country": country, "credit_limit": rng.randint(0, 2000) * 10,
            "browsing_history": [item(rng) for _ in range(rng.randint(1, 8))]}


def spoil(rng, record):
    """A session as the wild makes them: each of these must end as a dead letter."""
    kind = rng.randrange(3)
    if kind == 0:
        record["browsing_history"][0]["quantity"] = "two"
        return json.dumps(record)
    if kind == 1:
        del record["browsing_history"]
        return json.dumps(record)
    return json.dumps([record["session_id"], "not an object"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=int, default=2000, help="sessions a second; 0: as fast as they go")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--count", type=int, default=0, help="so many sessions, instead of --seconds")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    total = args.count or int(args.rate * args.seconds)
    start = time.monotonic()
    step = max(1, args.rate // 50) if args.rate else 1000
    for first in range(0, total, step):
        lines = []
        for number in range(first, min(first + step, total)):
            record = session(rng, number)
            lines.append(spoil(rng, record) if rng.random() < 0.01 else json.dumps(record))
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()
        if args.rate:
            time.sleep(max(0.0, start + (first + step) / args.rate - time.monotonic()))


if __name__ == "__main__":
    try:
        main()
    except BrokenPipeError:
        sys.exit(1)
