"""Install Chromium for the browser tests, where there is none: Debian's as root, else Playwright's own download.

Without one the tests of the book in a browser are skipped, and in CI they fail; so this never fails itself.
"""

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright


def chromium():
    """Return the path of the machine's own Chromium, as tests/conftest.py looks for it, or None."""
    return os.environ.get("RAVINE_CHROMIUM") or next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def present():
    """Return whether the tests will find a Chromium."""
    if chromium():
        return True
    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path).exists()


def install():
    """Install a Chromium; return whether that went well."""
    root = os.geteuid() == 0
    commands = [[sys.executable, "-m", "playwright", "install", "chromium", *(["--with-deps"] if root else [])]]
    if root and platform.freedesktop_os_release().get("ID") == "debian":
        apt = ["apt-get", "-qq"]
        commands = [[*apt, "update"], [*apt, "install", "--yes", "--no-install-recommends", "chromium"]]
    return all(subprocess.run(command, capture_output=True).returncode == 0 for command in commands)


if __name__ == "__main__" and not present():
    print("Installing Chromium for the browser tests")
    if not install():
        print("The browser tests need Chromium: apt-get install chromium, or set RAVINE_CHROMIUM to its path.")
