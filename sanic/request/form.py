"""The bodies of HTML forms: urlencoded, and multipart with files (RFC 7578).

Takes a body that has been read whole and its limits; how it came here is not known. Multipart parsing itself is in
`sanic.request.multipart`, which is loaded with the first multipart body.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qs

from sanic.exceptions import BadRequest, PayloadTooLarge
from sanic.headers import parse_content_header
from sanic.request.limits import DEFAULT_LIMITS, MAX_URLENCODED_FIELDS, FormLimits
from sanic.request.parameters import RequestParameters

if TYPE_CHECKING:
    pass


class File(NamedTuple):
    """An uploaded file.

    The name is what the client says: never use it as a path without checking it.
    """

    type: str
    body: bytes
    name: str


def parse_form(
    body: bytes,
    content_type: str,
    keep_blank_values: bool = False,
    limits: FormLimits = DEFAULT_LIMITS,
) -> tuple[RequestParameters, RequestParameters]:
    """Parse a body according to its Content-Type.

    Args:
        body: the whole body.
        content_type: the value of the header.
        keep_blank_values: keep urlencoded fields without value; multipart ones are always kept.
        limits: bounds of the body.

    Returns:
        fields and files; both empty for any content type that is no form.

    Raises:
        BadRequest: the body is not what its content type says, or the boundary is missing.
        PayloadTooLarge: more than the limits allow.
    """
    kind, parameters = parse_content_header(content_type)
    if kind == "application/x-www-form-urlencoded":
        return parse_urlencoded_form(body, keep_blank_values, limits.max_fields), RequestParameters()
    if kind == "multipart/form-data":
        return parse_multipart_form(body, parameters.get("boundary", ""), limits)
    return RequestParameters(), RequestParameters()


def parse_urlencoded_form(
    body: bytes, keep_blank_values: bool = False, max_fields: int = MAX_URLENCODED_FIELDS
) -> RequestParameters:
    """Parse an `application/x-www-form-urlencoded` body as UTF-8.

    What is not UTF-8 becomes U+FFFD, as in the parser of the URL Standard (section 5.1).

    Args:
        body: the whole body.
        keep_blank_values: keep fields without value, which are dropped otherwise.
        max_fields: how many fields it may have.

    Raises:
        PayloadTooLarge: it has more.
    """
    if body.count(b"&") >= max_fields:
        raise PayloadTooLarge(f"The form has more than {max_fields} fields, which is the limit")
    return RequestParameters(parse_qs(body.decode("utf-8", "replace"), keep_blank_values=keep_blank_values))


def parse_multipart_form(
    body: bytes, boundary: str | bytes, limits: FormLimits = DEFAULT_LIMITS
) -> tuple[RequestParameters, RequestParameters]:
    """Parse a `multipart/form-data` body.

    Parts with a file name, even an empty one, are files and keep their bytes exactly; others are fields, decoded with
    the charset of the part or as UTF-8. Names are in Unicode NFC. A part without name is dropped and noted in the
    debug log.

    Args:
        body: the whole body.
        boundary: the parameter of this name of the Content-Type header.
        limits: bounds of the body.

    Returns:
        fields and files.

    Raises:
        BadRequest: the boundary is missing or the body is broken; the message says why.
        PayloadTooLarge: more than a limit, which the message names, allows.
    """
    if not boundary:
        raise BadRequest("The Content-Type multipart/form-data lacks its boundary parameter")

    from sanic.request.multipart import MultipartDecoder, PartHeader

    fields, files = RequestParameters(), RequestParameters()
    decoder = MultipartDecoder(boundary, limits)
    header: PartHeader | None = None
    content: list[bytes] = []
    for event in decoder.feed(body):
        if isinstance(event, PartHeader):
            header = event
            content.clear()
        elif event is not None:
            content.append(event)
        elif header is not None:
            data = b"".join(content)
            if header.filename is None:
                fields.setdefault(header.name, []).append(header.decode(data))
            else:
                file = File(header.content_type, data, header.filename)
                files.setdefault(header.name, []).append(file)
    decoder.close()
    return fields, files
