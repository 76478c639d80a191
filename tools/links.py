"""Follow the links of the built book: name those inside that lead nowhere, and list those outside.

Nothing is asked of the network: the list of addresses outside is there to be looked through, or given to a program that
asks them.
"""

import sys
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

HTML = Path(__file__).resolve().parent.parent / "_build/html"


@dataclass
class Page(HTMLParser):
    """What a page can be asked for, and what it asks for: its ids, and the addresses in it."""

    path: Path
    ids: set = field(default_factory=set)
    addresses: set = field(default_factory=set)

    def __post_init__(self):
        super().__init__()
        self.feed(self.path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        """Note the element's id and where it leads."""
        for name, value in attrs:
            if name == "id" or (tag == "a" and name == "name"):
                self.ids.add(value)
            elif name in ("href", "src") and value:
                self.addresses.add(value)


def pages(folder):
    """Return the pages that the book has in `folder`, by path; what the theme keeps for itself is none."""
    found = (path for path in sorted(folder.rglob("*.html")) if path.relative_to(folder).parts[0] != "_static")
    return {path.resolve(): Page(path.resolve()) for path in found}


def broken(book):
    """Return the links inside the book that lead nowhere, as (page, address)."""
    return [(page.path, address) for page in book.values() for address in sorted(page.addresses)
            if not _scheme(address) and not _stands(page, address, book)]


def outside(book):
    """Return the addresses outside that the book names, as {address: the pages that name it}."""
    found = {}
    for page in book.values():
        for address in page.addresses:
            if _scheme(address) in ("http", "https"):
                found.setdefault(address, []).append(page.path)
    return dict(sorted(found.items()))


def _scheme(address):
    return "https" if address.startswith("//") else urlsplit(address).scheme


def _stands(page, address, book):
    parts = urlsplit(address)
    target = (page.path.parent / unquote(parts.path)).resolve() if parts.path else page.path
    if not target.is_file():
        return False
    # A figure reads its settings from the fragment: `#id?name=value`.
    name = unquote(parts.fragment).partition("?")[0]
    return not name or target not in book or name in book[target].ids


def main():
    """Print both lists; return whether every link inside leads somewhere."""
    book = pages(HTML)
    if not book:
        sys.exit("the book is not built: run `make book`")
    lost, away = broken(book), outside(book)
    for address, paths in away.items():
        print(f"{address}  ({_name(paths[0]) if len(paths) == 1 else f'{len(paths)} pages'})")
    for path, address in lost:
        print(f"{_name(path)} leads to {address}, which is not there")
    print(f"{len(book)} pages: {len(away)} addresses outside, {len(lost)} links inside that lead nowhere")
    return not lost


def _name(path):
    return path.relative_to(HTML.resolve()).as_posix()


if __name__ == "__main__":
    sys.exit(not main())
