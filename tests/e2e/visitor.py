"""Somebody at the running console, with a browser's cookie and its forms' hidden fields."""

import re
from html import unescape

import httpx

_HIDDEN = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)">')


class Visitor:
    """Acts on the pages of the console at an address."""

    def __init__(self, address: str) -> None:
        self._client = httpx.Client(base_url=address, trust_env=False, timeout=60)

    def do(self, address: str, page: str, **fields: str) -> str:
        """Opens a page, fills in its form, sends it to an address, and tells where that leads."""
        shown = self._client.get(page)
        assert shown.status_code == 200, shown.text
        hidden = {unescape(name): unescape(value) for name, value in _HIDDEN.findall(shown.text)}
        answer = self._client.post(address, data=hidden | fields, headers={"Sec-Fetch-Site": "same-origin"})
        assert answer.status_code == 303, answer.text
        return str(answer.headers["Location"])
