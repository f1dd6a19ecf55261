#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes seeded e-commerce sessions of some 550 bytes as JSON lines, half of them from the USA, all well-formed.

usage: sessions.py COUNT [SEED]
"""
import random
import sys

COUNTRIES = ["Canada", "France", "Germany", "Japan", "Brazil", "Kenya", "Norway", "Spain"]
CITIES = ["Washington", "Toronto", "Paris", "Berlin", "Tokyo", "Recife", "Nairobi", "Oslo", "Sevilla", "San Francisco"]


def write(count, out, seed=1):
    rng = random.Random(seed)
    items = ['{"product_code": "S%d_%d", "quantity": %d, "in_shopping_cart": %s}'
             % (rng.randint(10, 72), rng.randint(1000, 4999), rng.randint(1, 9), "true" if rng.random() < 0.4 else "false")
             for _ in range(20_000)]
    heads = ['"customer_number": %d, "city": "%s", "country": "%s", "credit_limit": %d, "browsing_history": ['
             % (rng.randint(100, 500), rng.choice(CITIES), "USA" if rng.random() < 0.5 else rng.choice(COUNTRIES), rng.randint(0, 2000) * 10)
             for _ in range(20_000)]
    for first in range(0, count, 10_000):
        lines = ['{"session_id": "%08x-%08x", %s%s]}\n'
                 % (number, rng.getrandbits(32), rng.choice(heads), ", ".join(rng.choices(items, k=rng.randint(3, 8))))
                 for number in range(first, min(first + 10_000, count))]
        out.write("".join(lines))


if __name__ == "__main__":
    write(int(sys.argv[1]), sys.stdout, *map(int, sys.argv[2:]))
