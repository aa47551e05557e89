"""Responses: what a handler returns."""

from sanic.response.file import file, file_stream, validate_file
from sanic.response.http import BaseHTTPResponse, HTTPResponse, empty, html, raw, redirect, text
from sanic.response.json import JSONResponse, json
from sanic.response.stream import ResponseStream

__all__ = (
    "BaseHTTPResponse",
    "HTTPResponse",
    "JSONResponse",
    "ResponseStream",
    "empty",
    "file",
    "file_stream",
    "html",
    "json",
    "raw",
    "redirect",
    "text",
    "validate_file",
)
