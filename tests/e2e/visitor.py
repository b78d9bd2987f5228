"""Somebody at the running console, with a browser's cookie and its forms' hidden fields."""

import re
from collections.abc import Mapping
from html import unescape

import httpx

_HIDDEN = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)">')


class Visitor:
    """Acts on the pages of the console at an address."""

    def __init__(self, address: str) -> None:
        self._client = httpx.Client(base_url=address, trust_env=False, timeout=60)

    def form(self, page: str) -> dict[str, str]:
        """The hidden fields of a page's form."""
        shown = self._client.get(page)
        assert shown.status_code == 200, shown.text
        return {unescape(name): unescape(value) for name, value in _HIDDEN.findall(shown.text)}

    def send(self, address: str, form: Mapping[str, str]) -> str | None:
        """Sends a form to an address, and tells where that leads; None where the console died of it."""
        try:
            answer = self._client.post(address, data=dict(form), headers={"Sec-Fetch-Site": "same-origin"})
        except httpx.TransportError:
            return None
        assert answer.status_code == 303, answer.text
        return str(answer.headers["Location"])

    def do(self, address: str, page: str, **fields: str) -> str:
        """Opens a page, fills in its form, sends it to an address, and tells where that leads."""
        there = self.send(address, self.form(page) | fields)
        assert there is not None
        return there
