"""Content-Type and Content-Disposition: a value and its parameters.

Reads what browsers really send (HTML's rules for multipart names) besides the quoted strings of RFC 9110; what the
value means is left to the caller.
"""

from __future__ import annotations

import re

#: `; name = value`, where the value is a quoted string or runs to the next semicolon. A string that does not end where
#: a parameter ends is read again without escapes: browsers write a path with a backslash before the closing quote.
#: No attempt reaches past the next quotation mark that could begin another one, so time stays linear.
_PARAMETER = re.compile(
    r';[ \t]*([^\s=;"]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"(?=[ \t]*(?:;|$))|"([^"]*)"|([^\s;"]*))', re.DOTALL
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def parse_content_header(value: str) -> tuple[str, dict[str, str]]:
    """Split a header such as `form-data; name=upload; filename="file.txt"` into its value and its parameters.

    `%22`, `%0D` and `%0A` in parameters are decoded, as HTML's multipart encoding writes them. A backslash stays as it
    is unless it escapes a quotation mark, because browsers send Windows paths unescaped.

    Args:
        value: the value of the header.

    Returns:
        the value in lower case and the parameters, with names in lower case. Malformed parameters are skipped.
    """
    main, semicolon, _ = value.partition(";")
    if not semicolon:
        return main.strip().lower(), {}
    parameters: dict[str, str] = {}
    for name, quoted, unescaped, plain in _PARAMETER.findall(value, len(main)):
        text = _ESCAPED.sub(r"\1", quoted) if '\\"' in quoted else quoted or unescaped or plain
        if "%" in text:
            text = text.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")
        parameters[name.lower()] = text
    return main.strip().lower(), parameters
