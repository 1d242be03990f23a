"""Open pages in headless Chromium: what a script finds in them, and how they look."""

from __future__ import annotations

import json
import os
import re
import select
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any, Self

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
SIZES = {"screen": (1280, 900), "phone": (390, 844)}
SCHEMES = {"dark": "--blink-settings=preferredColorScheme=0", "light": "--blink-settings=preferredColorScheme=1"}

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (Debian's package is called chromium)")


def browse(page: Path, *options: str, size: str = "screen") -> str:
    """Let Chromium open the page and give what it prints."""
    width, height = SIZES[size]
    command = [
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-dev-shm-usage",
        f"--user-data-dir={page.parent / 'profile'}", f"--window-size={width},{height}", *options, page.as_uri(),
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=True, timeout=60).stdout


def measured(page: Path, expression: str, size: str, *options: str) -> str:
    """Evaluate a script in a copy of the page inside a frame as wide as the device; the page itself has none."""
    width, height = SIZES[size]
    copy = page.with_name("copy.html")
    script = f"<script>document.documentElement.setAttribute('data-found', {expression})</script>"
    copy.write_text(page.read_text("utf-8").replace("</body>", f"{script}</body>"), "utf-8")
    frame = page.with_name("frame.html")
    frame.write_text(
        f"<iframe id=f src=copy.html width={width} height={height}></iframe><script>f.onload = () =>"
        " document.documentElement.setAttribute('data-found', f.contentDocument.documentElement.dataset.found)</script>"
    )
    found = re.search(r'data-found="([^"]*)"', browse(frame, "--allow-file-access-from-files", "--dump-dom", *options))
    assert found is not None
    return found[1]


KEYS = {"Tab": 9, "Enter": 13, " ": 32, "ArrowUp": 38, "ArrowDown": 40, "ArrowRight": 39}
"""Keys and their codes."""


class Keyboard:
    """Chromium with one page and a keyboard, driven by its protocol over a pair of pipes."""

    def __init__(self, address: str, profile: Path) -> None:
        import fcntl

        ends = (*os.pipe(), *os.pipe())
        commands, self._write, self._read, answers = (fcntl.fcntl(end, fcntl.F_DUPFD, 20) for end in ends)
        for end in ends:  # which may be 3 and 4
            os.close(end)
        options = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe")
        start = ["bash", "-c", f'exec "$@" 3<&{commands} 4>&{answers}', "bash", str(CHROMIUM), *options]
        self._process = subprocess.Popen(
            [*start, f"--user-data-dir={profile}", "about:blank"],
            pass_fds=(commands, answers),
            stderr=subprocess.DEVNULL,
        )
        os.close(commands)
        os.close(answers)
        self._number, self._left, self._session = 0, b"", ""
        self._call("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
        page = self._call("Target.createTarget", url=address)["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        while self.evaluate("document.readyState + location.href") != f"complete{address}":
            time.sleep(0.05)
        self._call("Page.bringToFront")

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            while b"\0" not in self._left:
                assert select.select([self._read], [], [], 60)[0], f"no answer to {method}"
                self._left += os.read(self._read, 1 << 16)
            text, _, self._left = self._left.partition(b"\0")
            answer = json.loads(text)
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result

    def press(self, key: str) -> None:
        """Press a key and let it go."""
        text = {"Enter": "\r", " ": " "}.get(key, "")
        code = {"key": key, "code": "Space" if key == " " else key, "windowsVirtualKeyCode": KEYS[key]}
        self._call("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", **code, text=text)
        self._call("Input.dispatchKeyEvent", type="keyUp", **code)

    def evaluate(self, script: str) -> Any:
        """Return what a script finds, a promise's outcome too."""
        answer = self._call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        return answer["result"].get("value")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()
        os.close(self._write)
        os.close(self._read)


CONTRAST = """(() => {
  const rgb = text => text.match(/[0-9.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v > 0.03928 ? ((v + 0.055) / 1.055) ** 2.4 : v / 12.92)
    .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
  const ground = node => { for (let at = node; at; at = at.parentElement) {
    const found = rgb(getComputedStyle(at).backgroundColor); if (found.length === 3 || found[3] > 0) return found; } };
  const pairs = [...document.querySelectorAll('main *, footer *')].filter(one => one.textContent.trim() && one.children.length === 0)
    .map(one => [light(rgb(getComputedStyle(one).color)), light(ground(one))]);
  return Math.min(...pairs.map(([a, b]) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05))).toFixed(2);
})()"""
"""The lowest contrast of a text with what is behind it, as WCAG has it."""
