# SPDX-License-Identifier: Apache-2.0
"""The table that a benchmark prints, and its rows."""

rows = []


def add(name, value, unit, peer="", peer_value=None):
    ratio = value / peer_value if peer_value else None
    rows.append({"name": name, "value": round(value, 3), "unit": unit, "peer": peer,
                 "peer_value": None if peer_value is None else round(peer_value, 3),
                 "ratio": None if ratio is None else round(ratio, 3)})
    right = f"{peer:<28}{peer_value:>14,.1f}{ratio:>9.2f}x" if peer_value else ""
    print(f"  {name:<52}{value:>14,.1f} {unit:<10}{right}", flush=True)
