"""What the body of a form may hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sanic.config import Config

#: A field costs a few hundred bytes of memory and can be sent with two. No form that people fill in has this many,
#: while a hostile body of `REQUEST_MAX_SIZE` could hold fifty millions.
MAX_URLENCODED_FIELDS = 10_000


class FormLimits(NamedTuple):
    """What the body of a form may hold; its size as a whole is limited before it comes here.

    Args:
        max_fields: number of fields of an urlencoded body.
        max_parts: number of parts. Each costs an object or two, however small it is.
        max_part_header_size: bytes of all header lines of one part. A name and a file name fit in many times over.
        max_part_headers: number of header lines of one part. RFC 7578 knows three.
        max_field_size: bytes of a part that is no file, since those are decoded to text in memory.
    """

    max_fields: int = MAX_URLENCODED_FIELDS
    max_parts: int = 1000
    max_part_header_size: int = 8192
    max_part_headers: int = 8
    max_field_size: int = 1024 * 1024

    @classmethod
    def from_config(cls, config: Config) -> FormLimits:
        """Read them from a configuration."""
        return cls(
            max_fields=config.REQUEST_MAX_FORM_FIELDS,
            max_parts=config.REQUEST_MAX_FORM_PARTS,
            max_part_header_size=config.REQUEST_MAX_PART_HEADER_SIZE,
            max_part_headers=config.REQUEST_MAX_PART_HEADERS,
            max_field_size=config.REQUEST_MAX_FORM_FIELD_SIZE,
        )


DEFAULT_LIMITS = FormLimits()
