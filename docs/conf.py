"""How the documentation is built: MyST pages, the Furo theme, and warnings that count as errors (`make docs`)."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

project = "Sanic"
author = "The Sanic project"
copyright = "2026, the Sanic project"
# Read, not imported: the pages can be built without the package and what it depends on.
release = re.findall(r'"(.+)"', (ROOT / "sanic" / "__version__.py").read_text())[0]
version = release.rpartition(".")[0]

extensions = ["myst_parser"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = f"Sanic {release}"
html_show_sphinx = False
pygments_style = "friendly"
