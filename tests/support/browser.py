"""Open pages in headless Chromium: what a script finds in them, and how they look."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

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
