"""Declaring what is served from files."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from sanic.models.futures import RouteSpec, Spec, StaticSpec
from sanic.registration.routes import Host, hosts_are_wrong

if TYPE_CHECKING:
    from sanic.handlers import DirectoryHandler


class StaticDeclarations:
    """The method that declares files and directories."""

    _declare: Callable[[Spec], Any]
    generate_name: Callable[..., str]

    def static(
        self,
        uri: str,
        file_or_directory: str | bytes | os.PathLike[str],
        pattern: str = r"/?.+",
        use_modified_since: bool = True,
        use_content_range: bool = False,
        stream_large_files: bool | int = False,
        name: str = "static",
        host: Host = None,
        strict_slashes: bool | None = None,
        content_type: str | None = None,
        apply: bool = True,
        resource_type: str | None = None,
        index: str | Sequence[str] | None = None,
        directory_view: bool = False,
        directory_handler: DirectoryHandler | None = None,
        follow_external_symlink_files: bool = False,
        follow_external_symlink_dirs: bool = False,
        *,
        precompressed: bool = False,
    ) -> None:
        """Serve a file, or everything below a directory, with GET and HEAD.

        Args:
            uri: The URL path of the file, or the one that the directory's files are below.
            file_or_directory: What is served. A directory may be made later; a relative path counts from where the
                process is now.
            pattern: Has no effect; kept for compatibility.
            use_modified_since: Whether a client that has the current file is answered with 304.
            use_content_range: Whether clients may ask for parts of files.
            stream_large_files: Bytes from which on files are sent piece by piece; true or false is 1 MiB.
            name: The name for `url_for`.
            host: The host, or hosts, that it is bound to.
            strict_slashes: Whether a trailing slash matters.
            content_type: Content type of all files; default by their names.
            apply: False only makes the declaration.
            resource_type: `file` or `dir`, to be sure that it is one.
            index: Name of the file that stands for its directory, or names in order of preference.
            directory_view: Whether directories without index are listed.
            directory_handler: Answers requests for directories, instead of `index` and `directory_view`.
            follow_external_symlink_files: Whether links to files outside of the directory are followed.
            follow_external_symlink_dirs: Whether links to directories outside of the directory are followed.
            precompressed: Whether clients that take it get `NAME.br` or `NAME.gz` instead of `NAME`, when that file
                stands beside it and is not older.

        Raises:
            ValueError: An argument is none of what it may be, or contradicts another one.
            TypeError: `resource_type` is not what there is.
        """
        if not isinstance(file_or_directory, (str, bytes, os.PathLike)):
            raise ValueError(f"Static route must be a valid path, not {file_or_directory!r}.")
        if hosts_are_wrong(host):
            raise ValueError(f"Expected host to be a text or a list, tuple or set of texts, not {host!r}.")
        if directory_handler is not None and (directory_view or index):
            raise ValueError(
                "When explicitly setting directory_handler, you cannot set either directory_view or index. Instead, "
                "pass these arguments to your DirectoryHandler instance."
            )
        path = os.path.abspath(os.fsdecode(file_or_directory))
        spec = StaticSpec(
            uri=uri,
            file_or_directory=path,
            is_file=_is_file(path, resource_type),
            name=self.generate_name(name),
            host=host if isinstance(host, str) or host is None else list(host),
            strict_slashes=strict_slashes,
            use_modified_since=use_modified_since,
            use_content_range=use_content_range,
            stream_large_files=stream_large_files,
            content_type=content_type,
            index=(index,) if isinstance(index, str) else tuple(index or ()),
            directory_view=directory_view,
            directory_handler=directory_handler,
            follow_external_symlink_files=follow_external_symlink_files,
            follow_external_symlink_dirs=follow_external_symlink_dirs,
            precompressed=precompressed,
        )
        if apply:
            self._declare(spec)


def route_for(spec: StaticSpec) -> RouteSpec:
    """The route that serves what was declared."""
    from sanic.static import StaticMount

    return RouteSpec(
        handler=StaticMount(spec).serve,
        uri=spec.uri if spec.is_file else f"{spec.uri.rstrip('/')}/<__file_uri__:path>",
        methods=frozenset({"GET", "HEAD"}),
        host=spec.host,
        # A file has one path: with a slash behind it, it would be the name of a directory.
        strict_slashes=True if spec.is_file and spec.strict_slashes is None else spec.strict_slashes,
        version=spec.version,
        version_prefix=spec.version_prefix,
        name=spec.name,
        ignore_body=True,
        static=True,
        overwrite=spec.overwrite,
    )


def _is_file(path: str, resource_type: str | None) -> bool:
    is_file = os.path.isfile(path)
    if resource_type is None:
        return is_file
    if resource_type not in ("file", "dir"):
        raise ValueError(f"The resource_type should be set to 'file' or 'dir', not {resource_type!r}.")
    if is_file if resource_type == "dir" else os.path.isdir(path):
        raise TypeError(f"Resource type improperly identified as {resource_type!r}: {path!r} is none.")
    return resource_type == "file"
