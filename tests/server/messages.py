"""Good and bad messages, byte for byte, and what a server must answer: the table behind `test_messages`."""

# ruff: noqa: E501 - a table with one message on a line

from __future__ import annotations

from dataclasses import dataclass

HOST = b"Host: example.com\r\n"
GET = b"GET / HTTP/1.1\r\n" + HOST
POST = b"POST /echo HTTP/1.1\r\n" + HOST
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
FIVE = b"Content-Length: 5\r\n"
UPGRADE = b"Connection: upgrade\r\nUpgrade: x\r\n"


@dataclass(frozen=True)
class Message:
    """What a client sends on one connection.

    Attributes:
        name: What is particular about it.
        data: The bytes.
        statuses: The statuses of the responses, in order, interim ones included.
        closes: Whether the server closes the connection.
        rule: Where that is laid down.
        bodies: The bodies of the responses, where they matter.
        methods: The methods of the requests, where they decide how responses are read.
    """

    name: str
    data: bytes
    statuses: tuple[int, ...]
    closes: bool
    rule: str
    bodies: tuple[bytes, ...] | None = None
    methods: tuple[str, ...] = ()


def good(name: str, data: bytes, *bodies: bytes, rule: str, closes: bool = False) -> Message:
    return Message(name, data, (200,) * len(bodies), closes, rule, bodies)


def bad(name: str, data: bytes, rule: str, status: int = 400) -> Message:
    return Message(name, data, (status,), True, rule)


MESSAGES = [
    # -- Connections -----------------------------------------------------------------------------------------------
    good("plain GET", GET + b"\r\n", b"hi", rule="RFC 9112 9.3"),
    good("close is asked for", GET + b"Connection: close\r\n\r\n", b"hi", rule="RFC 9112 9.6", closes=True),
    good("close in any case", GET + b"Connection: ClOsE\r\n\r\n", b"hi", rule="RFC 9110 7.6.1", closes=True),
    good("close among others", GET + b"Connection: x, close\r\n\r\n", b"hi", rule="RFC 9110 7.6.1", closes=True),
    good("close on a line of its own", GET + b"Connection: x\r\nConnection: close\r\n\r\n", b"hi", rule="RFC 9110 5.3", closes=True),
    good("a token that begins like close", GET + b"Connection: closed\r\n\r\n", b"hi", rule="RFC 9110 7.6.1"),
    good("data behind close", GET + b"Connection: close\r\n\r\n" + GET + b"\r\n", b"hi", rule="RFC 9112 9.6", closes=True),
    good("HTTP/1.0", b"GET / HTTP/1.0\r\n\r\n", b"hi", rule="RFC 9112 9.3", closes=True),
    good("HTTP/1.0 with keep-alive", b"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", b"hi", rule="RFC 9112 9.3"),
    good("HTTP/1.0 with a body", b"POST /echo HTTP/1.0\r\nContent-Length: 2\r\n\r\nab", b"ab", rule="RFC 9112 6.3", closes=True),
    Message("a 404 keeps the connection", b"GET /none HTTP/1.1\r\n" + HOST + b"\r\n" + GET + b"\r\n", (404, 200), False, "RFC 9112 9.3"),
    Message("a 500 keeps the connection", b"GET /fail HTTP/1.1\r\n" + HOST + b"\r\n" + GET + b"\r\n", (500, 200), False, "RFC 9112 9.3"),
    good("the handler closes", b"GET /close HTTP/1.1\r\n" + HOST + b"\r\n", b"bye", rule="RFC 9112 9.6", closes=True),
    # -- Pipelining ------------------------------------------------------------------------------------------------
    good("three in a row", (b"GET /say/1 HTTP/1.1\r\n" + HOST + b"\r\n") + (b"GET /say/2 HTTP/1.1\r\n" + HOST + b"\r\n") + (b"GET /say/3 HTTP/1.1\r\n" + HOST + b"\r\n"), b"1", b"2", b"3", rule="RFC 9112 9.3.2"),
    good("the slow one first", b"GET /slow/1 HTTP/1.1\r\n" + HOST + b"\r\nGET /say/2 HTTP/1.1\r\n" + HOST + b"\r\n", b"1", b"2", rule="RFC 9112 9.3.2"),
    good("bodies in a row", POST + FIVE + b"\r\nabcde" + CHUNKED + b"3\r\nxyz\r\n0\r\n\r\n" + GET + b"\r\n", b"abcde", b"xyz", b"hi", rule="RFC 9112 9.3.2"),
    good("empty lines between", b"\r\n" + GET + b"\r\n\r\n\r\n" + GET + b"\r\n", b"hi", b"hi", rule="RFC 9112 2.2"),
    Message("a bad one behind a good one", GET + b"\r\nGET / HTTP/1.1\r\nHost : a\r\n\r\n", (200, 400), True, "RFC 9112 5.1"),
    # -- Bodies ----------------------------------------------------------------------------------------------------
    good("content-length", POST + FIVE + b"\r\nabcde", b"abcde", rule="RFC 9112 6.2"),
    good("content-length 0", POST + b"Content-Length: 0\r\n\r\n", b"", rule="RFC 9112 6.2"),
    good("content-length in other letters", POST + b"cOnTeNt-LeNgTh:\t5 \r\n\r\nabcde", b"abcde", rule="RFC 9110 5.1"),
    good("no length is no body", POST + b"\r\n" + GET + b"\r\n", b"", b"hi", rule="RFC 9112 6.3"),
    good("a body with GET", GET + FIVE + b"\r\nGET /" + GET + b"\r\n", b"hi", b"hi", rule="RFC 9110 9.3.1"),
    good("chunks", CHUNKED + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", b"abcde", rule="RFC 9112 7.1"),
    good("chunk sizes in any case, with zeros", CHUNKED + b"00A\r\n0123456789\r\na\r\n0123456789\r\n000\r\n\r\n", b"0123456789" * 2, rule="RFC 9112 7.1"),
    good("chunk extensions", CHUNKED + b"3;a=b;c=\"d e\"\r\nabc\r\n0;z\r\n\r\n", b"abc", rule="RFC 9112 7.1.1"),
    good("trailers", CHUNKED + b"3\r\nabc\r\n0\r\nX-Sum: 1\r\nHost: other\r\n\r\n" + GET + b"\r\n", b"abc", b"hi", rule="RFC 9112 7.1.2"),
    good("trailers are no headers", b"POST /headers HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX-Late: 1\r\n\r\n", b"host transfer-encoding", rule="RFC 9110 6.5.1"),
    good("Chunked", POST + b"Transfer-Encoding: Chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", b"a", rule="RFC 9112 7"),
    good("a body that nobody reads", b"POST /ignore HTTP/1.1\r\n" + HOST + FIVE + b"\r\nGET /" + GET + b"\r\n", b"ignored", b"hi", rule="RFC 9112 9.3"),
    good("chunks that nobody reads", b"POST /ignore HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nGET /\r\n0\r\n\r\n" + GET + b"\r\n", b"ignored", b"hi", rule="RFC 9112 9.3"),
    good("100-continue without a body", GET + b"Expect: 100-continue\r\n\r\n", b"hi", rule="RFC 9110 10.1.1"),
    good("100-continue in HTTP/1.0", b"POST /echo HTTP/1.0\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\na", b"a", rule="RFC 9110 10.1.1", closes=True),
    bad("another expectation", POST + FIVE + b"Expect: tea\r\n\r\nabcde", "RFC 9110 10.1.1", 417),
    # -- Methods and targets ---------------------------------------------------------------------------------------
    Message("HEAD", b"HEAD / HTTP/1.1\r\n" + HOST + b"\r\n" + GET + b"\r\n", (200, 200), False, "RFC 9110 9.3.2", (b"", b"hi"), ("HEAD",)),
    good("absolute form", b"GET http://example.com/say/1?q HTTP/1.1\r\n" + HOST + b"\r\n", b"1", rule="RFC 9112 3.2.2"),
    good("absolute form decides about the host", b"GET http://other.example:81/host HTTP/1.1\r\n" + HOST + b"\r\n", b"other.example:81", rule="RFC 9112 3.2.2"),
    Message("asterisk form", b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n" + GET + b"\r\n", (404, 200), False, "RFC 9112 3.2.4"),
    bad("an asterisk for GET", b"GET * HTTP/1.1\r\n" + HOST + b"\r\n", "RFC 9112 3.2.4"),
    bad("a target without slash", b"GET echo HTTP/1.1\r\n" + HOST + b"\r\n", "RFC 9112 3.2"),
    bad("a target with a blank", b"GET /a b HTTP/1.1\r\n" + HOST + b"\r\n", "RFC 9112 3.2"),
    bad("a target beyond ASCII", b"GET /\xc3\xa9 HTTP/1.1\r\n" + HOST + b"\r\n", "RFC 3986 2"),
    bad("a target with a control character", b"GET /a\x01 HTTP/1.1\r\n" + HOST + b"\r\n", "RFC 3986 2"),
    Message("an unknown method on a path that exists", b"FOO / HTTP/1.1\r\n" + HOST + b"\r\n", (405,), False, "RFC 9110 15.5.6"),
    Message("an unknown method on a path that does not", b"FOO /none HTTP/1.1\r\n" + HOST + b"\r\n", (404,), False, "RFC 9110 15.5.5"),
    Message("methods are told apart by case", b"get / HTTP/1.1\r\n" + HOST + b"\r\n", (405,), False, "RFC 9110 9.1"),
    Message("a method that begins like a known one", b"GETX / HTTP/1.1\r\n" + HOST + b"\r\n", (405,), False, "RFC 9110 9.1"),
    Message("an unknown method with a body", b"!#$%&'*+-.^_`|~09 / HTTP/1.1\r\n" + HOST + FIVE + b"\r\nGET /", (405,), False, "RFC 9110 5.6.2"),
    bad("a method that is too long", b"A" * 33 + b" / HTTP/1.1\r\n" + HOST + b"\r\n", "RFC 9112 3", 501),
    bad("a method that is no token", b"GE(T / HTTP/1.1\r\n" + HOST + b"\r\n", "RFC 9110 5.6.2"),
    bad("a tab behind the method", b"GET\t/ HTTP/1.1\r\n" + HOST + b"\r\n", "RFC 9112 3"),
    bad("a blank before the method", b" GET / HTTP/1.1\r\n" + HOST + b"\r\n", "RFC 9112 3"),
    bad("two blanks before the target", b"GET  / HTTP/1.1\r\n" + HOST + b"\r\n", "RFC 9112 3"),
    bad("two blanks before the version", b"GET /  HTTP/1.1\r\n" + HOST + b"\r\n", "RFC 9112 3"),
    bad(
        "two blanks, and the right line in a field",
        b"GET  / HTTP/1.1\r\n" + HOST + b"X: GET / HTTP/1.1\r\n\r\n",
        "RFC 9112 3",
    ),
    bad(
        "RTSP, and the right line in a field",
        b"GET / RTSP/1.0\r\n" + HOST + b"X: GET / HTTP/1.0\r\n\r\n",
        "RFC 9112 3",
    ),
    bad("a blank behind the version", b"GET / HTTP/1.1 \r\n" + HOST + b"\r\n", "RFC 9112 3"),
    bad("TLS on a plain port", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 30, "RFC 9112 3"),
    # -- Versions --------------------------------------------------------------------------------------------------
    bad("HTTP/1.2", b"GET / HTTP/1.2\r\n" + HOST + b"\r\n", "RFC 9112 2.3"),
    bad("HTTP/2.0", b"GET / HTTP/2.0\r\n" + HOST + b"\r\n", "RFC 9112 2.3"),
    bad("HTTP/0.9", b"GET / HTTP/0.9\r\n" + HOST + b"\r\n", "RFC 9112 2.3"),
    bad("HTTP/1.10", b"GET / HTTP/1.10\r\n" + HOST + b"\r\n", "RFC 9112 2.3"),
    bad("HTTP/1", b"GET / HTTP/1\r\n" + HOST + b"\r\n", "RFC 9112 2.3"),
    bad("no version", b"GET /\r\n" + HOST + b"\r\n", "RFC 9112 3"),
    bad("small letters", b"GET / http/1.1\r\n" + HOST + b"\r\n", "RFC 9112 2.3"),
    bad("RTSP/1.0", b"GET / RTSP/1.0\r\n" + HOST + b"\r\n", "RFC 9112 2.3"),
    bad("RTSP/1.1", b"OPTIONS / RTSP/1.1\r\n" + HOST + b"\r\n", "RFC 9112 2.3"),
    bad("ICE/1.0", b"SOURCE / ICE/1.0\r\n" + HOST + b"\r\n", "RFC 9112 2.3"),
    bad("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "RFC 9113 3.4"),
    # -- Host ------------------------------------------------------------------------------------------------------
    bad("no Host", b"GET / HTTP/1.1\r\n\r\n", "RFC 9112 3.2"),
    bad("two Hosts", GET + b"Host: other\r\n\r\n", "RFC 9112 3.2"),
    bad("the same Host twice", GET + HOST + b"\r\n", "RFC 9112 3.2"),
    bad("two Hosts in HTTP/1.0", b"GET / HTTP/1.0\r\n" + HOST + HOST + b"\r\n", "RFC 9112 3.2"),
    bad("a Host with a path", b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "RFC 9110 7.2"),
    bad("a Host with a user", b"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", "RFC 9110 7.2"),
    bad("a list of Hosts", b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "RFC 9110 7.2"),
    bad("a Host with a bad port", b"GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", "RFC 9110 7.2"),
    bad("an empty Host", b"GET / HTTP/1.1\r\nHost:\r\n\r\n", "RFC 9110 7.2"),
    good("an IPv6 Host", b"GET /host HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", b"[::1]:80", rule="RFC 9110 7.2"),
    Message("a second request without Host", GET + b"\r\nGET / HTTP/1.1\r\n\r\n", (200, 400), True, "RFC 9112 3.2"),
    # -- Header fields ---------------------------------------------------------------------------------------------
    good("blanks around a value", b"GET /header HTTP/1.1\r\n" + HOST + b"X-Value: \t a b \t \r\n\r\n", b"a b", rule="RFC 9112 5"),
    good("no blank before a value", b"GET /header HTTP/1.1\r\n" + HOST + b"x-vALue:ab\r\n\r\n", b"ab", rule="RFC 9112 5"),
    good("an empty value", b"GET /header HTTP/1.1\r\n" + HOST + b"X-Value:\r\n\r\n", b"", rule="RFC 9110 5.5"),
    good("bytes beyond ASCII in a value", b"GET /header HTTP/1.1\r\n" + HOST + b"X-Value: \xc3\xa9\r\n\r\n", b"\xc3\xa9", rule="RFC 9110 5.5"),
    bad("a blank before the colon", GET + b"A : b\r\n\r\n", "RFC 9112 5.1"),
    bad("a tab before the colon", GET + b"A\t: b\r\n\r\n", "RFC 9112 5.1"),
    bad("a folded line", GET + b"A: b\r\n c\r\n\r\n", "RFC 9112 5.2"),
    bad("a line folded with a tab", GET + b"A: b\r\n\tc\r\n\r\n", "RFC 9112 5.2"),
    bad("a blank line of blanks", GET + b" \r\n\r\n", "RFC 9112 5.2"),
    bad("a blank before the first field", b"GET / HTTP/1.1\r\n A: b\r\n" + HOST + b"\r\n", "RFC 9112 2.2"),
    bad("no colon", GET + b"A\r\n\r\n", "RFC 9112 5"),
    bad("no name", GET + b": b\r\n\r\n", "RFC 9112 5"),
    bad("a name that is no token", GET + b"A(b): c\r\n\r\n", "RFC 9110 5.1"),
    bad("a name beyond ASCII", GET + b"\xc3\xa9: c\r\n\r\n", "RFC 9110 5.1"),
    bad("NUL in a value", GET + b"A: b\0c\r\n\r\n", "RFC 9110 5.5"),
    bad("NUL in a name", GET + b"A\0: b\r\n\r\n", "RFC 9110 5.1"),
    bad("a control character in a value", GET + b"A: b\x01c\r\n\r\n", "RFC 9110 5.5"),
    bad("bare CR in a value", GET + b"A: b\rc\r\n\r\n", "RFC 9112 2.2"),
    bad("bare CR before the end", GET + b"A: b\r\r\n\r\n", "RFC 9112 2.2"),
    bad("bare LF behind the request line", b"GET / HTTP/1.1\n" + HOST + b"\r\n", "RFC 9112 2.2"),
    bad("bare LF behind a field", b"GET / HTTP/1.1\r\nHost: a\n\r\n", "RFC 9112 2.2"),
    bad("bare LF behind the head", GET + b"\n", "RFC 9112 2.2"),
    # -- Framing ---------------------------------------------------------------------------------------------------
    bad("two lengths", POST + FIVE + b"Content-Length: 6\r\n\r\nabcdef", "RFC 9112 6.3"),
    bad("the same length twice", POST + FIVE + FIVE + b"\r\nabcde", "RFC 9112 6.3"),
    bad("a list of lengths", POST + b"Content-Length: 5, 5\r\n\r\nabcde", "RFC 9112 6.3"),
    bad("a length with a sign", POST + b"Content-Length: +5\r\n\r\nabcde", "RFC 9110 8.6"),
    bad("a negative length", POST + b"Content-Length: -5\r\n\r\nabcde", "RFC 9110 8.6"),
    bad("a hexadecimal length", POST + b"Content-Length: 0x5\r\n\r\nabcde", "RFC 9110 8.6"),
    bad("a length with a blank in it", POST + b"Content-Length: 5 5\r\n\r\nabcde", "RFC 9110 8.6"),
    bad("an empty length", POST + b"Content-Length:\r\n\r\nabcde", "RFC 9110 8.6"),
    bad("a length beyond 64 bits", POST + b"Content-Length: 99999999999999999999\r\n\r\nabcde", "RFC 9110 8.6"),
    bad("length and coding", POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "RFC 9112 6.3"),
    bad("coding and length", POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", "RFC 9112 6.3"),
    bad("an unknown coding", POST + b"Transfer-Encoding: zip\r\n\r\n0\r\n\r\n", "RFC 9112 6.1", 501),
    bad("identity", POST + b"Transfer-Encoding: identity\r\n\r\nabc", "RFC 9112 6.1", 501),
    bad("an unknown coding before chunked", POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "RFC 9112 6.1", 501),
    bad("codings on two lines", POST + b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "RFC 9112 6.1", 501),
    bad("a coding that ends like chunked", POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "RFC 9112 6.1", 501),
    bad("chunked twice", POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", "RFC 9112 6.1"),
    bad("chunked on two lines", POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "RFC 9112 6.1"),
    bad("chunked is not the last", POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", "RFC 9112 6.3"),
    bad("an empty coding", POST + b"Transfer-Encoding:\r\n\r\n0\r\n\r\n", "RFC 9112 6.1"),
    bad("a coding in HTTP/1.0", b"POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "RFC 9112 6.1"),
    bad("a chunk size that is no number", CHUNKED + b"x\r\n\r\n", "RFC 9112 7.1"),
    bad("a chunk size with 0x", CHUNKED + b"0x1\r\na\r\n0\r\n\r\n", "RFC 9112 7.1"),
    bad("a negative chunk size", CHUNKED + b"-1\r\na\r\n0\r\n\r\n", "RFC 9112 7.1"),
    bad("a chunk size beyond 64 bits", CHUNKED + b"11111111111111111\r\na\r\n0\r\n\r\n", "RFC 9112 7.1"),
    bad("an empty chunk size", CHUNKED + b"\r\na\r\n0\r\n\r\n", "RFC 9112 7.1"),
    bad("a blank behind a chunk size", CHUNKED + b"1 \r\na\r\n0\r\n\r\n", "RFC 9112 7.1"),
    bad("bare LF behind a chunk size", CHUNKED + b"1\na\r\n0\r\n\r\n", "RFC 9112 7.1"),
    bad("no CRLF behind a chunk", CHUNKED + b"1\r\na0\r\n\r\n", "RFC 9112 7.1"),
    bad("bare LF behind a chunk", CHUNKED + b"1\r\na\n0\r\n\r\n", "RFC 9112 7.1"),
    bad("a chunk longer than its size", CHUNKED + b"1\r\nab\r\n0\r\n\r\n", "RFC 9112 7.1"),
    bad("bare LF in a chunk extension", CHUNKED + b"1;a\nb\r\n0\r\n\r\n", "RFC 9112 7.1.1"),
    bad("a blank before the colon in a trailer", CHUNKED + b"0\r\nX : y\r\n\r\n", "RFC 9112 5.1"),
    bad("a length in the trailer", CHUNKED + b"0\r\nContent-Length: 5\r\n\r\n", "RFC 9110 6.5.1"),
    # -- Upgrades --------------------------------------------------------------------------------------------------
    good("Connection: upgrade alone", GET + b"Connection: upgrade\r\n\r\n" + GET + b"\r\n", b"hi", b"hi", rule="RFC 9110 7.8"),
    good("an upgrade that is not granted", GET + b"Connection: upgrade\r\nUpgrade: h2c\r\n\r\n" + GET + b"\r\n", b"hi", b"hi", rule="RFC 9110 7.8"),
    good("a body behind an upgrade", POST + FIVE + b"Connection: upgrade\r\nUpgrade: h2c\r\n\r\nGET /" + GET + b"\r\n", b"GET /", b"hi", rule="RFC 9110 7.8"),
    good("chunks behind an upgrade", POST + b"Transfer-Encoding: chunked\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n5\r\nGET /\r\n0\r\nA: b\r\n\r\n" + GET + b"\r\n", b"GET /", b"hi", rule="RFC 9110 7.8"),
    good("two upgrades with bodies", (POST + FIVE + b"Connection: upgrade\r\nUpgrade: h2c\r\n\r\nGET /") * 2, b"GET /", b"GET /", rule="RFC 9110 7.8"),
    *(
        Message(f"an unknown method of {len(method)} letters that asks for an upgrade{what}", method + b" / HTTP/1.1\r\n" + HOST + UPGRADE + data, statuses, False, "RFC 9110 7.8")
        for method in (b"A", b"BAR", b"X" * 32)
        for what, data, statuses in (
            ("", b"X-V: GET /say/1 HTTP/1.0\r\n\r\n", (405,)),
            (" with a body", FIVE + b"\r\nGET /", (405,)),
            (" before another", b"\r\n" + GET + b"\r\n", (405, 200)),
            (" with a body before another", FIVE + b"\r\nGET /" + GET + b"\r\n", (405, 200)),
        )
    ),
    Message("CONNECT", b"CONNECT example.com:443 HTTP/1.1\r\n" + HOST + b"\r\n", (404,), False, "RFC 9110 9.3.6"),
]  # fmt: skip
