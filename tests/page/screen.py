# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person sees of a page, in a real browser."""

import json
import os
from pathlib import Path
from typing import Any, Callable, Dict, List

from ansible_collections.fleet.tmux.plugins.plugin_utils._page import page
from ansible_collections.fleet.tmux.tests.support.programs import program
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

_ARGUMENTS = """
    --headless=new --disable-gpu --disable-quic --no-first-run --disable-background-networking
    --disable-component-update --disable-sync --window-size=1280,900
""".split()


def browser(profile: Path) -> Chrome:
    """Start a browser that logs what its pages complain of and ask for."""
    options = ChromeOptions()
    options.binary_location = program("chromium", "chromium-browser", "google-chrome")
    for argument in [*_ARGUMENTS, "--user-data-dir=%s" % profile]:
        options.add_argument(argument)
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")  # it cannot make one as root
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return Chrome(options=options, service=Service(program("chromedriver")))


_ON_TOP = """
    const place = arguments[0].getBoundingClientRect();
    const there = document.elementFromPoint(place.x + place.width / 2, place.y + place.height / 2);
    return arguments[0].contains(there);
"""
"""Whether an element is what a click on its middle meets: what is drawn only now, above it, moves it on."""


class Screen:
    """A browser's window with one page."""

    def __init__(self, driver: Chrome, path: Path) -> None:
        self.driver = driver
        self.path = path
        self._asked: List[str] = []

    # --- what it is like ---

    def reset(self) -> None:
        self.driver.get("about:blank")
        self.scripts(True)
        self.emulate()
        self.size(1280, 900)
        self.complaints()
        self.requests()

    def emulate(self, scheme: str = "light", media: str = "") -> None:
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": features})

    def size(self, width: int, height: int) -> None:
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def scripts(self, allowed: bool) -> None:
        self.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not allowed})

    # --- what it shows ---

    def show(self, report: Dict[str, Any], fragment: str = "") -> None:
        self.path.write_text(page(report), encoding="utf-8")
        self.driver.get("about:blank")  # a new fragment alone would not load the page again
        self.driver.get(self.path.as_uri() + fragment)

    @property
    def text(self) -> str:
        """All text that is visible, tables that are closed excluded."""
        return self.one("body").text

    def all(self, selector: str) -> List[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def eval(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def css(self, selector: str, name: str) -> str:
        return self.one(selector).value_of_css_property(name)

    def rows(self, table: str) -> List[List[str]]:
        """The cells of the rows that are shown, from top to bottom: hidden text is no text."""
        if not self._in_sight("#%s table" % table):
            return []
        made: List[List[str]] = self.eval(
            """
            return Array.from(document.querySelectorAll(`#${arguments[0]} tbody tr`))
                .filter((row) => row.checkVisibility())
                .map((row) => Array.from(row.cells, (cell) => cell.innerText.trim()));
            """,
            table,
        )
        return made

    def _in_sight(self, selector: str) -> bool:
        """Scroll there, for what is out of sight is not drawn; tell whether there is something to see."""
        seen = "return document.querySelector(arguments[0]).checkVisibility({contentVisibilityAuto: arguments[1]})"
        self.eval("document.querySelector(arguments[0]).scrollIntoView()", selector)
        if not self.eval(seen, selector, False):
            return False
        self.wait(lambda: self.eval(seen, selector, True))
        return True

    def column(self, table: str, label: str) -> List[str]:
        number = self.labels(table).index(label)
        return [row[number] for row in self.rows(table)]

    def labels(self, table: str) -> List[str]:
        script = "return Array.from(document.querySelectorAll(`#${arguments[0]} thead th`), (it) => it.textContent)"
        made: List[str] = self.eval(script, table)
        return made

    def head(self, table: str, label: str) -> WebElement:
        return self.all("#%s thead th" % table)[self.labels(table).index(label)]

    # --- what a person does ---

    def sort(self, table: str, label: str) -> None:
        button = self.head(table, label).find_element(By.TAG_NAME, "button")
        self.eval("arguments[0].scrollIntoView({block: 'center'})", button)
        self.wait(lambda: self.eval(_ON_TOP, button))
        button.click()

    def search(self, term: str) -> None:
        field = self.one("#search")
        field.send_keys(Keys.CONTROL, "a")
        field.send_keys(Keys.DELETE)
        field.send_keys(term)

    def wait(self, condition: Callable[[], Any]) -> None:
        WebDriverWait(self.driver, PATIENCE, poll_frequency=0.05).until(lambda driver: condition())

    def wait_for(self, look: Callable[[], Any], wanted: Any) -> None:
        self.wait(lambda: look() == wanted)

    def wait_for_matches(self, told: str) -> None:
        self.wait_for(lambda: self.one(".matches").text, told)

    # --- what it says behind the scenes ---

    def complaints(self) -> List[str]:
        """Errors and warnings in the console; what the page's policy blocks is one."""
        return [str(entry["message"]) for entry in self.driver.get_log("browser")]  # type: ignore[no-untyped-call]

    def requests(self) -> List[str]:
        """What was asked for since the last look, but for the page itself."""
        messages = [
            json.loads(entry["message"])["message"]
            for entry in self.driver.get_log("performance")  # type: ignore[no-untyped-call]
        ]
        asked = [it["params"]["request"]["url"] for it in messages if it["method"] == "Network.requestWillBeSent"]
        return [url for url in asked if url.partition("#")[0] != self.path.as_uri() and url != "about:blank"]
