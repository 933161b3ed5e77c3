"""READMEs and docs as HTML for the report."""

import os
import re
from pathlib import Path

import mistune

from reproduction import links, results


class Renderer(mistune.HTMLRenderer):
    """HTML whose tables can be scrolled by keyboard and read by a screen reader, without pictures.

    Attributes:
        folder: of the Markdown file, whose relative links start there.
        label: what its tables are of.
        url: the repository's, as of `links.address`.
    """

    def __init__(self, folder: Path, label: str, url: str | None):
        super().__init__()
        self.folder, self.label, self.url = folder, label, url

    def image(self, text: str, url: str, title: str | None = None) -> str:
        return ""  # the report has the figures already

    def link(self, text: str, url: str, title: str | None = None) -> str:
        if not re.match(r"[a-z]+:|#", url):
            url = links.address(os.path.relpath(self.folder / url, results.ROOT).replace(os.sep, "/"), self.url)
        return super().link(text, url, title)

    def table(self, text: str) -> str:
        box = f'<div class="scroll" role="region" tabindex="0" aria-label="{mistune.escape(self.label)}">'
        return f"{box}<table>\n{text}</table></div>\n"

    def table_head(self, text: str) -> str:
        return f"<thead><tr>{text}</tr></thead>\n"

    def table_body(self, text: str) -> str:
        return f"<tbody>{text}</tbody>\n".replace("<tbody></tbody>", "")

    def table_row(self, text: str) -> str:
        first, *others = re.findall(r"<td>(.*?)</td>", text, re.DOTALL)
        if others and not any(others):  # a title between the rows
            return f'</tbody><tbody><tr><th colspan="{1 + len(others)}" scope="rowgroup">{first}</th></tr>\n'
        return f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in others)}</tr>\n'

    def table_cell(self, text: str, align: str | None = None, head: bool = False) -> str:
        return f'<th scope="col">{text}</th>' if head and text else f"<td>{text}</td>"


def html(markdown: str, folder: Path, label: str, url: str | None = None) -> str:
    """Markdown as HTML; tags in it are text.

    Args:
        markdown: the text.
        folder: of its file.
        label: what its tables are of.
        url: as of `links.address`.
    """
    return mistune.create_markdown(renderer=Renderer(folder, label, url), plugins=["table"])(markdown)
