"""A real headless Chromium, driven for the tests that open a report from its file."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)


def missing() -> str:
    """Why there is no browser here; empty if there is one."""
    if not next(filter(None, map(shutil.which, NAMES)), None):
        return f"no Chromium on the path (looked for {', '.join(NAMES)})"
    return "" if shutil.which("chromedriver") else "no chromedriver on the path"


class Browser:
    """One browser with a new empty profile; ``open`` starts every page from nothing."""

    def __init__(self, profile: Path) -> None:
        os.environ["SE_AVOID_STATS"] = "true"  # the driver's own library stays at home
        options = Options()
        options.binary_location = next(filter(None, map(shutil.which, NAMES)), "")
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        service = Service(shutil.which("chromedriver"))
        self.driver = webdriver.Chrome(options=options, service=service)

    def open(
        self, page: Path, *, width: int = 1440, scheme: str = "light", media: str = ""
    ) -> None:
        """Open the file in a window of that width, in a colour scheme, for screen or print."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.tell("Emulation.setEmulatedMedia", media=media, features=features)
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.tell("Emulation.setDeviceMetricsOverride", **size)
        self.driver.get("about:blank")
        self.complaints()
        self.requests()
        self.driver.get(page.as_uri())

    def tell(self, command: str, **given: Any) -> dict[str, Any]:
        """One command of the DevTools protocol."""
        found: dict[str, Any] = self.driver.execute_cdp_cmd(command, given)
        return found

    def js(self, body: str, *given: Any) -> Any:
        """What a function with that body returns."""
        return self.driver.execute_script(body, *given)

    def press(self, key: str, code: int) -> None:
        """Press and release a key."""
        names = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        for kind in ("rawKeyDown", "keyUp"):
            self.tell("Input.dispatchKeyEvent", type=kind, **names)

    def complaints(self) -> list[str]:
        """What the console said since the last call: errors, policy violations, warnings."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """Every address that was asked for since the last call."""
        events = [json.loads(e["message"])["message"] for e in self.driver.get_log("performance")]
        sent = [e["params"] for e in events if e["method"] == "Network.requestWillBeSent"]
        return [params["request"]["url"] for params in sent]

    def close(self) -> None:
        """End the browser and its driver."""
        self.driver.quit()
