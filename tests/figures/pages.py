"""Pages that hold figures, as the tests write and read them."""

import ravine as rv


class Site:
    """A folder with the scripts of the book."""

    def __init__(self, folder):
        self.folder = folder
        rv.figures.build(folder)

    def write(self, name, *figures, text=""):
        """Write a page with these figures, as the book would show them, and return its address."""
        body = "\n".join(figure.html() for figure in figures)
        scripts = "\n".join(f'<script defer src="{script}?v=1"></script>' for script in rv.figures.scripts(body))
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
<link rel="stylesheet" href="figures.css?v=1">
{scripts}
</head>
<body><main><h1 id="top">{name}</h1>{text}{body}<h2 id="end">End</h2></main></body>
</html>""", encoding="utf-8")
        return path.as_uri()


def settled(page):
    """Wait until what was asked for is drawn, and no figure says that it still computes."""
    page.evaluate("""async () => {
      do await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
      while (document.querySelector('[aria-busy=true]'));
    }""")
