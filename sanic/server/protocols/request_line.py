"""Where request lines stand in what has come.

The parser speaks RTSP and ICE, too, and is generous with blanks, so that each line is looked at once more (RFC 9112
section 3). A line that came whole is found where its head has to begin; one that came in parts, or behind a body, is
searched for. What a line says has been parsed elsewhere.
"""

from __future__ import annotations

#: Instead of the position of the head before, in the piece that is being parsed: there was none yet.
AT_START = -1
#: Instead of it: nobody knows where it is.
ANYWHERE = -2


def find_in_parts(begun: bytearray, piece: bytes, line: bytes, is_begin_known: bool) -> int | None:
    """Find the line of a head that came in parts.

    Args:
        begun: What came before `piece`.
        piece: What came last.
        line: The line up to its version, as it has to be.
        is_begin_known: Whether `begun` begins with the head, but for empty lines.

    Returns:
        Where to look for the next head from, None without such a line.
    """
    whole = begun + piece
    is_there = whole.lstrip(b"\r\n").startswith(line) if is_begin_known else line in whole
    # Where the next head begins, only a search for the end of this one could tell.
    return ANYWHERE if is_there else None


def find_in_piece(piece: bytes, line: bytes, position: int) -> int | None:
    """Find the line of a head that began in this piece.

    Args:
        piece: What came last.
        line: The line up to its version, as it has to be.
        position: Of the head before.

    Returns:
        The position of the head, None without such a line.
    """
    if position == ANYWHERE:
        # It stays so: a body may hold the same line.
        return ANYWHERE if line in piece else None
    begin = 0 if position == AT_START else piece.find(b"\r\n\r\n", position) + 4
    # An empty line may have been cut, and so may the end of the head before.
    while piece.startswith((b"\r", b"\n"), begin):
        begin += 1
    return begin if piece.startswith(line, begin) else None


def begin_of_rest(piece: bytes, position: int) -> int | None:
    """Where the head that is not complete begins, None where a body before it makes that uncertain.

    Args:
        piece: What came last.
        position: Of the last head that was complete.
    """
    if position == AT_START:
        return 0
    end = piece.find(b"\r\n\r\n", position) if position >= 0 else -1
    return end + 4 if end >= 0 else None
