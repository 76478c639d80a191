"""What the tests of the built pages share: three ways to open the book, and a reader who notes each fault."""

import functools
import http.server
import threading

import pytest
from reading import HTML


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files and logs nothing."""

    def log_message(self, *_):
        pass


@pytest.fixture(scope="session")
def html():
    """Return the folder of the built book."""
    if not (HTML / "index.html").exists():
        pytest.fail("the book is not built: run `make book`")
    return HTML


@pytest.fixture(scope="session")
def serve():
    """Return a function that serves a folder over HTTP on this machine, and gives its address."""
    servers = []

    def start(folder):
        handler = functools.partial(Quiet, directory=str(folder))
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="session")
def at_root(html, serve):
    """Return the address of the book, served as a site of its own."""
    return serve(html)


@pytest.fixture(scope="session")
def under_a_path(html, serve, tmp_path_factory):
    """Return the address of the book, served below a path, as Pages does."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "some").mkdir()
    (folder / "some/book").symlink_to(html)
    return f"{serve(folder)}/some/book"


@pytest.fixture(scope="session")
def as_files(html):
    """Return the address of the book, opened from the disk."""
    return html.as_uri()


@pytest.fixture
def reader(browser):
    """Return a function: `reader(home, color_scheme=…, …)` is a page that keeps a list of its `faults`."""
    contexts = []

    def new(home, **settings):
        context = browser.new_context(**settings)
        contexts.append(context)
        page = context.new_page()
        page.faults = []
        page.on("console", lambda message: message.type == "error" and page.faults.append(message.text))
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.on("requestfailed", lambda request: page.faults.append(f"failed: {request.url}"))
        page.on("response", lambda response: response.ok or page.faults.append(f"{response.status}: {response.url}"))
        page.on("request", lambda request: _is_foreign(request.url, home) and page.faults.append(f"asks {request.url}"))
        return page

    yield new
    for context in contexts:
        context.close()


def _is_foreign(url, home):
    return not url.startswith((home, "data:", "blob:"))
