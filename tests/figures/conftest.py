"""What the tests of figures share: the book's scripts, built once, and pages that hold figures, opened as files."""

import contextlib

import pytest
from pages import Site

import ravine as rv


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """Yield a `Site`."""
    return Site(tmp_path_factory.mktemp("book"))


@pytest.fixture(scope="session")
def address(site):
    """Write a page with two figures, and prose that links to a setting of the first; return its address."""
    link = '<p><a href="#fig-momentum?beta=0.9&amp;alpha=0.02">a heavy ball</a></p>'
    return site.write("momentum", rv.figures.momentum(), rv.figures.momentum(beta=0.2), text=link)


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
