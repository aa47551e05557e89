"""Header fields that have a grammar of their own: parsed on the way in, validated on the way out.

Works on strings and on the header container alone; knows neither requests nor applications.
"""

from __future__ import annotations

from .accept import AcceptList, Matched, MediaType, parse_accept
from .content import parse_content_header
from .credentials import parse_credentials
from .forwarded import forwarded_options, fwd_normalize, fwd_normalize_address, parse_forwarded, parse_xforwarded
from .host import parse_host
from .outgoing import clean_header, encode_headers, format_http1_response

__all__ = (
    "AcceptList",
    "Matched",
    "MediaType",
    "clean_header",
    "encode_headers",
    "format_http1_response",
    "forwarded_options",
    "fwd_normalize",
    "fwd_normalize_address",
    "parse_accept",
    "parse_content_header",
    "parse_credentials",
    "parse_forwarded",
    "parse_host",
    "parse_xforwarded",
)
