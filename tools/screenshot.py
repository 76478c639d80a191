"""Take README's picture of the built book: its first page, as a reader meets it."""

import base64
from pathlib import Path

from playwright.sync_api import sync_playwright

from browser import chromium

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / ".github/ravine.webp"
SIZE = {"width": 1280, "height": 800}


def main():
    """Open the first page from the disk, wait for its figure, and write what the window shows."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport=SIZE, color_scheme="light")
        page.goto((ROOT / "_build/html/intro.html").as_uri())
        page.wait_for_selector(".ravine-figure.is-live")
        page.wait_for_load_state("networkidle")
        # Playwright itself writes no WebP, which is a third of a PNG here.
        shot = page.context.new_cdp_session(page).send("Page.captureScreenshot", {"format": "webp", "quality": 85})
        PICTURE.write_bytes(base64.b64decode(shot["data"]))
    print(f"wrote {PICTURE.relative_to(ROOT)}, {PICTURE.stat().st_size / 1000:.0f} KB")


if __name__ == "__main__":
    main()
