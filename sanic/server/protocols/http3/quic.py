"""A QUIC connection that grants its peer no more than is being read, and tells what it has still to send.

aioquic raises the limits of flow control (RFC 9000 section 4.1) by what has arrived, whether or not anybody has taken
it; here they follow what the application takes. What streams are for is not known here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aioquic.buffer import UINT_VAR_MAX_SIZE
from aioquic.quic.connection import QuicConnection
from aioquic.quic.packet import QuicFrameType

if TYPE_CHECKING:
    from aioquic.quic.packet_builder import QuicPacketBuilder
    from aioquic.quic.stream import QuicStream

_FRAME_CAPACITY = 1 + 2 * UINT_VAR_MAX_SIZE


class MeteredQuic(QuicConnection):
    """A QUIC connection of a server; its arguments are those of aioquic's.

    Attributes:
        unread: Bytes of each stream that have arrived, and wait to be taken; without entry none.
    """

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._window: int = self.configuration.max_stream_data
        self.unread: dict[int, int] = {}

    def _write_stream_limits(self, builder: QuicPacketBuilder, space: Any, stream: QuicStream) -> None:
        # Called by aioquic for every stream and packet.
        stream_id = stream.stream_id or 0
        if not stream.max_stream_data_local or stream.receiver.is_finished:
            return
        limit = stream.receiver.starting_offset() - self.unread.get(stream_id, 0) + self._window
        if limit - stream.max_stream_data_local >= self._window // 2:
            stream.max_stream_data_local = limit
        if stream.max_stream_data_local_sent == stream.max_stream_data_local:
            return
        buffer = builder.start_frame(
            QuicFrameType.MAX_STREAM_DATA,
            capacity=_FRAME_CAPACITY,
            handler=self._on_max_stream_data_delivery,
            handler_args=(stream,),
        )
        buffer.push_uint_var(stream_id)
        buffer.push_uint_var(stream.max_stream_data_local)
        stream.max_stream_data_local_sent = stream.max_stream_data_local

    def unsent(self, stream_id: int) -> int:
        """Bytes of a stream that have been written, but never been sent."""
        stream = self._streams.get(stream_id)
        return stream.sender._buffer_stop - stream.sender.highest_offset if stream is not None else 0

    def stop(self, stream_id: int, code: int) -> None:
        """Tell the peer that what it still sends on a stream is not wanted; no matter whether it has sent all."""
        stream = self._streams.get(stream_id)
        if stream is not None and not stream.receiver.is_finished:
            stream.receiver.stop(code)

    def reset(self, stream_id: int, code: int) -> None:
        """Send no more on a stream, of which nothing may be left to send."""
        stream = self._streams.get(stream_id)
        if stream is not None and not stream.sender.is_finished and stream.sender._reset_error_code is None:
            stream.sender.reset(code)

    def has_undelivered(self) -> bool:
        """Whether the peer has not confirmed yet that it has all of what was sent on its own streams."""
        return any(
            not stream.sender.is_finished and (stream.sender.highest_offset or not stream.sender.buffer_is_empty)
            for stream_id, stream in self._streams.items()
            if stream_id % 4 == 0
        )

    @property
    def stream_count(self) -> int:
        """Streams of both sides that are not over."""
        return len(self._streams)

    @property
    def is_over(self) -> bool:
        """Whether one side has closed the connection."""
        return self._close_event is not None

    @property
    def peer(self) -> Any:
        """The address of the peer, which may change; None while it is not proven (RFC 9000 section 9.3)."""
        path = self._network_paths[0] if self._network_paths else None
        return path.addr if path is not None and path.is_validated else None

    @property
    def network_paths(self) -> list[Any]:
        """The network paths that the connection takes."""
        return list(self._network_paths)
