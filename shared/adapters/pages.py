"""Pages: HTML from templates, and the few files that a page needs. The only user of jinja2.

Every value is escaped, no page carries a script or a style of its own, and the headers forbid the
browser to run any: what an attacker gets into an alert stays text.
"""

import hashlib
from functools import cached_property
from pathlib import Path

import jinja2

from shared.domain.views.http import HTML, Answer
from shared.domain.views.problem import Problem
from shared.errors import NotFound

FOLDER = Path(__file__).resolve().parent.parent / "pages"
OFFLINE = FOLDER.with_name("evidence")  # what is read from a disk carries its own style
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}


class Pages:
    """The templates of one folder, and its `assets`."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._assets = folder / "assets"
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader([folder, OFFLINE]),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals["asset"] = self._address

    def answer(self, template: str, status: int = 200, **view: object) -> Answer:
        """An answer with the template's HTML; `view` are the names that the template knows."""
        html = self._templates.get_template(template).render(**view)
        return Answer(
            status=status, body=html.encode("utf-8", "replace"), content_type=HTML, headers=HEADERS
        )

    def problem(self, problem: Problem, back: str = "/") -> Answer:
        """An answer that says what could not be done, with a way back."""
        return self.answer("problem.html", problem.status, problem=problem, back=back)

    def asset(self, name: str) -> Answer:
        """One of the files. Raises NotFound."""
        content = self._files.get(name)
        if content is None:
            raise NotFound(f"no file {name}")
        return Answer(
            body=content,
            content_type=TYPES[Path(name).suffix],
            headers={**HEADERS, "Cache-Control": "public, max-age=31536000, immutable"},
        )

    @cached_property
    def _files(self) -> dict[str, bytes]:
        """All files, read once: names from outside never become paths."""
        return {path.name: path.read_bytes() for path in self._assets.iterdir()}

    def _address(self, name: str) -> str:
        """Where a page finds a file; the digest lets browsers keep it for ever."""
        return f"/assets/{name}?{hashlib.sha256(self._files[name]).hexdigest()[:12]}"
