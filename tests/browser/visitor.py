"""Somebody in front of the console, who notes whatever a page must not do."""

from collections.abc import Sequence
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, ConsoleMessage, Dialog, Page, Request

_AXE = Axe()
# More stops than the longest page has.
_MOST_TABS = 400


class Visitor:
    """Opens the console's pages at `address` in one tab of a browser.

    `complaints` are dialogs, errors in the console's log (so the policy's refusals), scripts that failed, and requests
    that went elsewhere.
    """

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self._address = address
        self.page.on("dialog", self._note_dialog)
        self.page.on("console", self._note_message)
        self.page.on("pageerror", lambda error: self.complaints.append(f"script failed: {error}"))
        self.page.on("request", self._note_request)

    def open(self, path: str) -> Page:
        """The page at the path, with all that it asks for."""
        self.page.goto(self._address + path, wait_until="load")
        return self.page

    @property
    def asked(self) -> str:
        """What stands behind the console's address now."""
        return self.page.url.removeprefix(self._address)

    @property
    def names(self) -> list[str]:
        """The names of the configs that are shown, in their order."""
        return self.page.locator(".configs tbody .name").all_inner_texts()

    def violations(self) -> list[str]:
        """What axe finds wrong with the page as it is shown now: the rule, the element and the reason."""
        found: Sequence[dict[str, Any]] = _AXE.run(self.page).response["violations"]
        return [
            f"{rule['id']}: {', '.join(map(str, node['target']))}: {node['failureSummary']}"
            for rule in found
            for node in rule["nodes"]
        ]

    def overflow(self) -> list[str]:
        """The elements that stick out to the right of the window."""
        told: list[str] = self.page.evaluate(
            """() => {
                const width = document.documentElement.clientWidth;
                if (document.documentElement.scrollWidth <= width) return [];
                return [...document.querySelectorAll("body *")]
                    .filter((each) => each.getBoundingClientRect().right > width + 1)
                    .map((each) => each.outerHTML.slice(0, 160));
            }"""
        )
        return told

    def unreached(self) -> list[str]:
        """What people can act with, and do not reach by the Tab key."""
        found = self.page.evaluate(
            """() => {
                const all = "a[href], button, summary, select, textarea, input:not([type=hidden])";
                const seen = [...document.querySelectorAll(all)].filter((each) => each.checkVisibility());
                window.unreached = new Set(seen);
                document.addEventListener("focusin", (event) => window.unreached.delete(event.target));
                document.activeElement.blur();
                return window.unreached.size;
            }"""
        )
        for _ in range(found + 2):
            self.page.keyboard.press("Tab")
        told: list[str] = self.page.evaluate("[...window.unreached].map((each) => each.outerHTML.slice(0, 160))")
        return told

    def tab_to(self, name: str) -> None:
        """Presses Tab until what has that text, label or title has the focus; each stop has to be seen."""
        for _ in range(_MOST_TABS):
            self.page.keyboard.press("Tab")
            stop = self.page.evaluate(
                """() => {
                    const at = document.activeElement;
                    const seen = getComputedStyle(at).outlineStyle !== "none";
                    const label = at.labels?.length ? at.labels[0].innerText : at.innerText || at.title;
                    return [(label || "").replace(/\\s+/g, " ").trim(), seen, at.outerHTML.slice(0, 160)];
                }"""
            )
            assert stop[1], f"the focus is not to be seen on {stop[2]}"
            if stop[0] == name:
                return
        raise AssertionError(f"Tab does not reach {name!r}")

    def _note_dialog(self, dialog: Dialog) -> None:
        self.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _note_message(self, message: ConsoleMessage) -> None:
        # That the page itself is an error's is said in the log, too.
        is_status = message.text.startswith("Failed to load resource: the server responded with a status of")
        if message.type == "error" and not (is_status and message.location["url"] == self.page.url):
            self.complaints.append(message.text)

    def _note_request(self, request: Request) -> None:
        if not request.url.startswith(self._address):
            self.complaints.append(f"asked elsewhere: {request.url}")
