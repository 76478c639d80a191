"""A message once: in colour in a notebook, as plain text in a terminal."""

import html
from dataclasses import dataclass

_COLOURS = {"✓": "#1a9c4b", "✗": "#e5484d", "–": "#8b8d98", "?": "#e08a00"}


@dataclass(frozen=True, repr=False)
class _Message:
    text: str

    def __repr__(self):
        return self.text

    def _repr_html_(self):
        """The text as it is. Its colours are mixed with the page's text colour, so they can be read on any ground."""
        colour = _COLOURS.get(self.text[0], "#3e7bfa")
        first, *others = self.text.split("\n")
        head, colon, rest = first.partition(":")
        title = (f'<strong style="color: color-mix(in srgb, currentColor 45%, {colour})">{html.escape(head + colon)}'
                 f"</strong>{html.escape(rest)}")
        return (f'<div style="border-left: .25em solid {colour}; padding: .2em 0 .2em .8em; white-space: pre-wrap; '
                f'overflow-wrap: anywhere; font-family: ui-monospace, monospace; font-size: .95em; line-height: 1.5">'
                f"{title}{''.join(map(_line, others))}</div>")


def _line(text):
    """Return a line as HTML. Where it is indented and too long, it goes on indented further."""
    hanging = len(text) - len(text.lstrip(" ")) + 2 if text.startswith(" ") else 0
    held = html.escape(text).replace("–\N{NO-BREAK SPACE}", "–\N{WORD JOINER}\N{NO-BREAK SPACE}")  # a dash alone breaks
    return f'<div style="padding-left: {hanging}ch; text-indent: -{hanging}ch">{held or "&nbsp;"}</div>'


def show(text):
    """Display `text`; the part before its first colon stands out, in the colour of the mark that it begins with."""
    from IPython.display import display

    display(_Message(text))
