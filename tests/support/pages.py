# SPDX-License-Identifier: Apache-2.0
"""Lists of a scripted API (hostile.py), one maker for each way from one page to the next.

Each maker returns a handler. `limit` is the page's length where the request does not say it.
"""
import threading
import urllib.parse

from support.hostile import Answer


def items(n, first=0):
    return [{"id": f"i{number}", "n": number} for number in range(first, first + n)]


def offset_list(records, total=True, limit=10, name="items", offset_param="offset", limit_param="limit"):
    """Offset and limit. `total`: told truly (True), not told (False), or what it says instead: a number, or a function of
    the offset."""
    def handler(request):
        at, size = request.number(offset_param, 0), request.number(limit_param, limit)
        body = {name: records[at:at + size], "offset": at, "limit": size}
        if total is True:
            body["total"] = len(records)
        elif total is not False:
            body["total"] = total(at) if callable(total) else total
        return body
    return handler


def page_list(records, first=1, limit=10, name="items", told="pages", param="page"):
    """Page numbers. `told`: "pages", "total", "more" or None, what the body says of the end."""
    n_pages = -(-len(records) // limit)

    def handler(request):
        index = request.number(param, first) - first
        body = {name: records[index * limit:(index + 1) * limit], "page": index + first}
        if told == "pages":
            body["pages"] = n_pages
        elif told == "total":
            body["total"] = len(records)
        elif told == "more":
            body["has_more"] = index + 1 < n_pages
        return body
    return handler


def cursor_list(records, limit=10, name="items", param="cursor", header=None, word="next_cursor"):
    """A cursor, in the body or in a header; it is null, or not there, on the last page."""
    def handler(request):
        given = request.get(param)
        at = int(given.removeprefix("after-")) if given else 0
        after = f"after-{at + limit}" if at + limit < len(records) else None
        body = {name: records[at:at + limit]}
        if header:
            return Answer(body, headers={header: after} if after else {})
        body[word] = after
        return body
    return handler


def next_list(records, base, limit=10, name="items"):
    """A URL of the next page in the body; `base` is what stands before its query: absolute or relative."""
    def handler(request):
        at, size = request.number("offset", 0), request.number("limit", limit)
        more = at + size < len(records)
        query = urllib.parse.urlencode({"offset": at + size, "limit": size})
        return {name: records[at:at + size], "next": f"{base}?{query}" if more else None}
    return handler


def link_list(records, base, limit=10):
    """RFC 8288: a bare array and a header that names the next page."""
    def handler(request):
        at = request.number("after", 0)
        links = [f'<{base}?after=0>; rel="first"']
        if at + limit < len(records):
            links.insert(0, f'<{base}?after={at + limit}>; rel="next"')
        return Answer(records[at:at + limit], headers={"Link": ", ".join(links)})
    return handler


def script(*answers, then=None):
    """The answers one after another, then the handler's (or the last one for ever)."""
    lock, left = threading.Lock(), list(answers)

    def handler(request):
        with lock:
            answer = left.pop(0) if left and (then is not None or len(left) > 1) else (left[0] if left else then)
        return answer(request) if callable(answer) else answer
    return handler


def together(n, handler, timeout_s=30):
    """Holds requests until `n` of them wait side by side; 500 for those that wait in vain."""
    barrier = threading.Barrier(n)

    def held(request):
        try:
            barrier.wait(timeout_s)
        except threading.BrokenBarrierError:
            return Answer({"error": {"message": f"no {n} requests came side by side"}}, 400)
        return handler(request)
    return held
