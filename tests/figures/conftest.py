"""What the tests of figures share: the book's scripts, built once, and pages that hold figures, opened as files."""

import contextlib

import pytest

import ravine as rv


class Site:
    """A folder with the scripts of the book."""

    def __init__(self, folder):
        self.folder = folder
        rv.figures.build(folder)

    def write(self, name, *figures, text=""):
        """Write a page with these figures, as the book would show them, and return its address."""
        body = "\n".join(figure.html() for figure in figures)
        path = self.folder / f"{name}.html"
        path.write_text(f"""<!doctype html>
<html lang="en" data-theme="light">
<head>
<meta charset="utf-8"><title>{name}</title><link rel="icon" href="data:,">
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body {{ margin: 0 auto; max-width: 750px; }}
[data-theme=dark] body {{ background: #121212; color: #ddd; }}
</style>
<script defer src="loader.js?v=1"></script>
</head>
<body><main><h1 id="top">{name}</h1>{text}{body}<h2 id="end">End</h2></main></body>
</html>""", encoding="utf-8")
        return path.as_uri()


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """Yield a `Site`."""
    return Site(tmp_path_factory.mktemp("book"))


@pytest.fixture
def visit(browser):
    """Yield visit(address, **options), which opens an address in a fresh context; errors there fail the test."""
    with contextlib.ExitStack() as contexts:
        seen = []

        def note_foreign(request):
            if not request.url.startswith(("file:", "data:", "blob:")):
                seen.append(request.url)

        def visit(address, quiet=True, **options):
            context = browser.new_context(**{"viewport": {"width": 800, "height": 1000}} | options)
            contexts.callback(context.close)
            page = context.new_page()
            page.set_default_timeout(5000)
            if quiet:
                page.on("console", lambda message: message.type in ("error", "warning") and seen.append(message.text))
                page.on("pageerror", lambda error: seen.append(str(error)))
                page.on("request", note_foreign)
                page.on("requestfailed", lambda request: seen.append(f"failed: {request.url}"))
            page.goto(address)
            return page

        yield visit
        assert not seen
