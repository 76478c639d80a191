"""The links of the book: inside it each leads somewhere, and `make links` would say which does not."""

import links


def test_every_link_inside_the_book_leads_somewhere(html):
    book = links.pages(html)
    assert len(book) > 30
    assert links.broken(book) == []


def test_what_leads_nowhere_is_named_and_what_leads_outside_is_listed(tmp_path):
    (tmp_path / "sub").mkdir()
    good = ["b.html", "b.html#part", "#here", "#here?beta=.9", "sub/c%20d.html", "picture.svg", "mailto:a@b.test"]
    lost = ["#there", "b.html#other", "none.html", "sub"]
    away = ["https://one.test/a", "//two.test"]
    anchors = "".join(f'<a href="{address}">x</a>' for address in good + lost + away)
    first = tmp_path / "a.html"
    first.write_text(f'<p id="here">{anchors}<img src="picture.svg"><img src="none.svg">')
    (tmp_path / "b.html").write_text('<a name="part" href="https://one.test/a">x</a>')
    (tmp_path / "sub/c d.html").write_text('<link href="../a.html#here">')
    (tmp_path / "picture.svg").touch()
    book = links.pages(tmp_path)
    assert links.broken(book) == [(first, address) for address in sorted([*lost, "none.svg"])]
    assert links.outside(book) == {"//two.test": [first], "https://one.test/a": [first, tmp_path / "b.html"]}
