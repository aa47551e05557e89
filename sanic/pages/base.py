"""What every HTML page of the package has: the document, its head, the style, the frame around the content.

A page knows what it shows, not why or to whom. Everything it is given is text to be escaped.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from html5tagger import HTML, Builder, Document

from sanic.pages.styles import BASE_STYLE


class BasePage(ABC):
    """A page: subclasses give a title, a style of their own and the content of `main`."""

    STYLE = ""

    @property
    @abstractmethod
    def title(self) -> str:
        """Text of the `title` element."""

    @abstractmethod
    def fill(self, document: Builder) -> None:
        """Write the content of `main`."""

    def render(self) -> str:
        """Return the page as HTML."""
        document = Document(self.title, lang="en", id="sanic")
        document.meta(name="viewport", content="width=device-width, initial-scale=1")
        document.style(HTML(BASE_STYLE + self.STYLE))
        with document.main:
            self.fill(document)
        return str(document)
