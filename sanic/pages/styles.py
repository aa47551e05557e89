"""Style sheets of the pages, as text: they stand in the page, so that it needs no second request.

Colours follow the light or dark scheme of the reader's system.
"""

from __future__ import annotations

BASE_STYLE = """
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #fff; --ink: #1c2128; --soft: #5b6673; --line: #dfe3e8; --accent: #d6004f;
  --mono: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root { --page: #14171c; --card: #1c2128; --ink: #e4e8ed; --soft: #98a3b0; --line: #323a44; --accent: #ff5c93; }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
}
main {
  max-width: 62rem; margin: clamp(1rem, 6vh, 4rem) auto; padding: clamp(1.25rem, 4vw, 2.5rem);
  background: var(--card); border: 1px solid var(--line); border-top: 4px solid var(--accent);
  border-radius: 8px; overflow-wrap: anywhere;
}
main > :first-child { margin-top: 0; }
main > :last-child { margin-bottom: 0; }
h1 { margin: 0 0 .75rem; font-size: clamp(1.4rem, 4vw, 2rem); line-height: 1.2; font-weight: 650; }
h2 { margin: 2rem 0 .5rem; font-size: 1.05rem; font-weight: 650; }
p { margin: 0 0 1rem; }
a { color: var(--accent); text-underline-offset: .15em; }
code, pre { font-family: var(--mono); font-size: .9em; }
table { width: 100%; border-collapse: collapse; font-size: .925rem; }
th, td { padding: .4rem .75rem .4rem 0; border-top: 1px solid var(--line); text-align: left; vertical-align: top; }
tr:last-child > * { border-bottom: 1px solid var(--line); }
"""

ERROR_STYLE = """
.message { font-size: 1.1rem; white-space: pre-wrap; }
.apology { margin-top: 2rem; color: var(--soft); }
.facts th { width: 14rem; color: var(--soft); font-weight: 500; }
.facts td { font-family: var(--mono); font-size: .875rem; white-space: pre-wrap; }
.request { margin-top: 2rem; color: var(--soft); }
.request code { color: var(--ink); }
pre.trace { padding: 1rem; overflow-x: auto; background: var(--page); border-radius: 6px; overflow-wrap: normal; }
main .tracerite { margin: 1rem 0 2rem; overflow-x: auto; font-size: .9rem; }
@media (max-width: 40rem) {
  .facts th, .facts td { display: block; width: auto; padding-right: 0; }
  .facts td { border: 0; padding-top: 0; }
}
"""

DIRECTORY_STYLE = """
h1 { font-weight: 500; }
.breadcrumb { font-weight: 650; }
.breadcrumb a, .listing a { text-decoration: none; }
.breadcrumb a:hover, .breadcrumb a:focus, .listing a:hover, .listing a:focus { text-decoration: underline; }
.listing thead th { border-top: 0; color: var(--soft); font-weight: 500; }
.listing th + th, .listing td + td { white-space: nowrap; text-align: right; font-variant-numeric: tabular-nums; }
.listing th + th, .listing td + td { padding-left: .75rem; }
.listing th:last-child, .listing td:last-child { padding-right: 0; }
.listing td + td { color: var(--soft); }
.listing tbody tr:hover { background: var(--page); }
.listing .directory a { font-weight: 650; }
.listing .file a { color: var(--ink); }
.empty { color: var(--soft); }
@media (max-width: 40rem) { .listing th:last-child, .listing td:last-child { display: none; } }
"""
