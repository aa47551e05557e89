"""Settings of an application: a dict whose items are attributes too.

Every way of setting a key (attribute, item, `update`, environment, file) runs the same checks, so that a wrong
value is refused where it is written and not hours later in a connection. Knows what each key may hold;
what a key does is known where it is used.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from os import PathLike
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, Literal

from sanic.constants import LocalCertCreator
from sanic.exceptions import SanicException
from sanic.helpers import Default, _default
from sanic.log import error_logger
from sanic.utils import load_module_from_file_location, str_to_bool

if TYPE_CHECKING:
    from typing_extensions import Self

    from sanic.headers.proxies import TrustedProxies

__all__ = ("DEFAULT_CONFIG", "SANIC_PREFIX", "Config", "DetailedConverter")

SANIC_PREFIX: Final = "SANIC_"

#: No request head may be larger than this many bytes, whatever is configured.
HEADER_SIZE_CEILING: Final = 16384

#: The part of the read buffer that is kept free for what follows a request head, in bytes.
HEADER_BUFFER_MARGIN: Final = 4096

DEFAULT_CONFIG: Final[dict[str, Any]] = {
    "ACCESS_LOG": False,
    "AUTO_EXTEND": True,
    "AUTO_HEAD": True,
    "AUTO_OPTIONS": False,
    "AUTO_RELOAD": False,
    "DEPRECATION_FILTER": "once",
    "DRAIN_SECONDS": 0.0,
    "EVENT_AUTOREGISTER": False,
    "FALLBACK_ERROR_FORMAT": "auto",
    "FORWARDED_FOR_HEADER": "X-Forwarded-For",
    "FORWARDED_SECRET": None,
    "GRACEFUL_SHUTDOWN_TIMEOUT": 15.0,
    "GRACEFUL_TCP_CLOSE_TIMEOUT": 5.0,
    "INSPECTOR": False,
    "INSPECTOR_API_KEY": "",
    "INSPECTOR_HOST": "localhost",
    "INSPECTOR_PORT": 6457,
    "INSPECTOR_TLS_CERT": _default,
    "INSPECTOR_TLS_KEY": _default,
    "KEEP_ALIVE": True,
    "KEEP_ALIVE_TIMEOUT": 120,
    "LOCALHOST": "localhost",
    "LOCAL_CERT_CREATOR": LocalCertCreator.AUTO,
    "LOCAL_TLS_CERT": _default,
    "LOCAL_TLS_KEY": _default,
    "LOG_EXTRA": _default,
    "MOTD": True,
    "MOTD_DISPLAY": {},
    "NOISY_EXCEPTIONS": False,
    "NO_COLOR": False,
    "PIPELINE_MAX_QUEUED": 16,
    "PROXIES_COUNT": None,
    "REAL_IP_HEADER": None,
    "REQUEST_BUFFER_SIZE": 65536,
    "REQUEST_ID_HEADER": "X-Request-ID",
    "REQUEST_MAX_FORM_FIELDS": 10_000,
    "REQUEST_MAX_FORM_FIELD_SIZE": 1_048_576,
    "REQUEST_MAX_FORM_PARTS": 1000,
    "REQUEST_MAX_HEADERS": 100,
    "REQUEST_MAX_HEADER_SIZE": 8192,
    "REQUEST_MAX_PART_HEADERS": 8,
    "REQUEST_MAX_PART_HEADER_SIZE": 8192,
    "REQUEST_MAX_SIZE": 100_000_000,
    "REQUEST_MAX_TARGET_SIZE": 65535,
    "REQUEST_MIN_BODY_RATE": 240,
    "REQUEST_TIMEOUT": 60,
    "RESPONSE_TIMEOUT": 60,
    "TLS_CERT_PASSWORD": "",
    "TOUCHUP": _default,
    "TRUSTED_PROXIES": None,
    "USE_UVLOOP": _default,
    "WEBSOCKET_COMPRESSION": False,
    "WEBSOCKET_MAX_SIZE": 1_048_576,
    "WEBSOCKET_ORIGINS": None,
    "WEBSOCKET_PING_INTERVAL": 20,
    "WEBSOCKET_PING_TIMEOUT": 20,
    "WORKER_HANG_TIMEOUT": 60.0,
    "WORKER_MAX_REQUESTS": 0,
    "WORKER_MAX_REQUESTS_JITTER": 0,
    "WORKER_MAX_RSS": 0,
}

_ERROR_FORMATS: Final = ("auto", "html", "json", "text")
_FILTER_ACTIONS: Final = ("default", "error", "ignore", "always", "module", "once")

# Secrets are compared with text; from the environment they are never read as numbers or truth words. Nor are addresses.
_TEXT_KEYS: Final = frozenset(("FORWARDED_SECRET", "INSPECTOR_API_KEY", "TLS_CERT_PASSWORD", "TRUSTED_PROXIES"))

_TRUTH_KEYS: Final = frozenset(
    (*(key for key, value in DEFAULT_CONFIG.items() if isinstance(value, bool)), "LOG_EXTRA", "TOUCHUP", "USE_UVLOOP")
)


class DetailedConverter(ABC):
    """A converter of environment variables that is told which variable it converts.

    Register an instance of a subclass with `Config.register_type` or ``Config(converters=[…])``.
    """

    @abstractmethod
    def __call__(self, full_key: str, config_key: str, value: str, defaults: dict[str, Any]) -> Any:
        """Convert the text of one environment variable.

        :param full_key: name of the variable, such as ``SANIC_KEEP_ALIVE``.
        :param config_key: the name without its prefix, ``KEEP_ALIVE``.
        :param value: text of the variable.
        :param defaults: default values of the configuration by key.
        :return: the value to store.
        :raises ValueError: this converter is not meant for the variable; the next one is tried.
        """


Converter = Callable[[str], Any] | DetailedConverter

# Tried from the last to the first, so that what is registered later goes first.
_BUILT_IN_CONVERTERS: Final[tuple[Converter, ...]] = (str, str_to_bool, float, int)


class Config(dict[str, Any]):
    """Settings of an application, readable and writable as items and as attributes.

    :param defaults: values laid over the built-in ones.
    :param env_prefix: environment variables that start with it are loaded; ``None`` or ``""`` loads none.
    :param keep_alive: sets ``KEEP_ALIVE``.
    :param converters: further converters for environment variables, see `register_type`.
    """

    if TYPE_CHECKING:
        ACCESS_LOG: bool
        AUTO_EXTEND: bool
        AUTO_HEAD: bool
        AUTO_OPTIONS: bool
        AUTO_RELOAD: bool
        DEPRECATION_FILTER: Literal["default", "error", "ignore", "always", "module", "once"]
        DRAIN_SECONDS: float
        EVENT_AUTOREGISTER: bool
        FORWARDED_FOR_HEADER: str
        FORWARDED_SECRET: str | None
        GRACEFUL_SHUTDOWN_TIMEOUT: float
        GRACEFUL_TCP_CLOSE_TIMEOUT: float
        INSPECTOR: bool
        INSPECTOR_API_KEY: str
        INSPECTOR_HOST: str
        INSPECTOR_PORT: int
        INSPECTOR_TLS_CERT: os.PathLike[str] | str | Default
        INSPECTOR_TLS_KEY: os.PathLike[str] | str | Default
        KEEP_ALIVE: bool
        KEEP_ALIVE_TIMEOUT: float
        LOCALHOST: str
        LOCAL_CERT_CREATOR: LocalCertCreator | str
        LOCAL_TLS_CERT: os.PathLike[str] | str | Default
        LOCAL_TLS_KEY: os.PathLike[str] | str | Default
        LOG_EXTRA: bool | Default
        MOTD: bool
        MOTD_DISPLAY: dict[str, str]
        NOISY_EXCEPTIONS: bool
        NO_COLOR: bool
        PIPELINE_MAX_QUEUED: int
        PROXIES_COUNT: int | None
        REAL_IP_HEADER: str | None
        REQUEST_BUFFER_SIZE: int
        REQUEST_ID_HEADER: str
        REQUEST_MAX_FORM_FIELDS: int
        REQUEST_MAX_FORM_FIELD_SIZE: int
        REQUEST_MAX_FORM_PARTS: int
        REQUEST_MAX_HEADERS: int
        REQUEST_MAX_HEADER_SIZE: int
        REQUEST_MAX_PART_HEADERS: int
        REQUEST_MAX_PART_HEADER_SIZE: int
        REQUEST_MAX_SIZE: int
        REQUEST_MAX_TARGET_SIZE: int
        REQUEST_MIN_BODY_RATE: float
        REQUEST_TIMEOUT: float
        RESPONSE_TIMEOUT: float
        SERVER_NAME: str
        TLS_CERT_PASSWORD: str
        TOUCHUP: bool | Default
        TRUSTED_PROXIES: TrustedProxies | str | Iterable[str] | None
        USE_UVLOOP: bool | Default
        WEBSOCKET_COMPRESSION: bool
        WEBSOCKET_MAX_SIZE: int | None
        WEBSOCKET_ORIGINS: str | list[str] | None
        WEBSOCKET_PING_INTERVAL: float | None
        WEBSOCKET_PING_TIMEOUT: float | None
        WORKER_HANG_TIMEOUT: float | None
        WORKER_MAX_REQUESTS: int
        WORKER_MAX_REQUESTS_JITTER: int
        WORKER_MAX_RSS: float

    def __init__(
        self,
        defaults: Mapping[str, Any] | None = None,
        env_prefix: str | None = SANIC_PREFIX,
        keep_alive: bool | None = None,
        *,
        converters: Sequence[Converter] | None = None,
    ) -> None:
        # Straight into the dict: the built-in values need no check, and a subclass' setters are not ready yet.
        super().__init__(_built_in_defaults())
        object.__setattr__(self, "_defaults", dict(self, **(defaults or {})))
        for converter in converters or ():
            self.register_type(converter)
        if defaults:
            self.update(defaults)
        if keep_alive is not None:
            self["KEEP_ALIVE"] = keep_alive
        if env_prefix:
            self.load_environment_vars(env_prefix)
        _set_deprecation_filter("DEPRECATION_FILTER", self["DEPRECATION_FILTER"])

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"Config has no '{name}'") from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __delattr__(self, name: str) -> None:
        try:
            del self[name]
        except KeyError:
            raise AttributeError(f"Config has no '{name}'") from None

    def __setitem__(self, key: str, value: Any) -> None:
        # A property of the class, this one's or a subclass', has its own way of storing.
        if hasattr(type(getattr(type(self), key, None)), "__set__"):
            object.__setattr__(self, key, value)
        else:
            self._store(key, value)

    def __ior__(self, other: Any) -> Self:  # type: ignore[override, misc]
        self.update(other)
        return self

    def setdefault(self, key: str, default: Any = None) -> Any:
        """Return the value of a key, setting it first when it is absent."""
        if key not in self:
            self[key] = default
        return self[key]

    def update(self, *other: Any, **kwargs: Any) -> None:
        """Set keys from mappings or pairs, and from keywords.

        :param other: mappings or iterables of ``(key, value)``.
        :param kwargs: further keys.
        """
        for source in (*other, kwargs):
            pairs: Iterable[tuple[str, Any]] = (
                [(key, source[key]) for key in source.keys()]  # noqa: SIM118 - as dict.update does it
                if hasattr(source, "keys")
                else source
            )
            for key, value in pairs:
                self[key] = value

    @property
    def FALLBACK_ERROR_FORMAT(self) -> str:
        """Format of error pages when the request does not tell: ``auto``, ``html``, ``json`` or ``text``."""
        value: str = self.get("FALLBACK_ERROR_FORMAT", "auto")
        return value

    @FALLBACK_ERROR_FORMAT.setter
    def FALLBACK_ERROR_FORMAT(self, value: str | Default) -> None:
        wanted = "auto" if isinstance(value, Default) else value
        if wanted not in _ERROR_FORMATS:
            raise SanicException(f"Unknown format: {wanted}. FALLBACK_ERROR_FORMAT is one of {_listed(_ERROR_FORMATS)}")
        current = self.FALLBACK_ERROR_FORMAT
        if current not in ("auto", wanted):
            # "auto" is what nobody has set yet.
            error_logger.warning(
                "FALLBACK_ERROR_FORMAT is changed from '%s' to '%s'. Set it in one place only.", current, wanted
            )
        self._store("FALLBACK_ERROR_FORMAT", wanted)

    @property
    def request_max_header_size(self) -> int:
        """The most bytes a request head may have, from all settings that bound it."""
        return int(
            min(
                self.get("REQUEST_MAX_HEADER_SIZE", DEFAULT_CONFIG["REQUEST_MAX_HEADER_SIZE"]),
                self.get("REQUEST_BUFFER_SIZE", DEFAULT_CONFIG["REQUEST_BUFFER_SIZE"]) - HEADER_BUFFER_MARGIN,
                self.get("REQUEST_MAX_SIZE", DEFAULT_CONFIG["REQUEST_MAX_SIZE"]),
                HEADER_SIZE_CEILING,
            )
        )

    def load_environment_vars(self, prefix: str = SANIC_PREFIX) -> None:
        """Set keys from the environment variables that start with the prefix and are entirely upper case.

        A text is handed to the registered converters, the newest first, then read as a whole number, as a
        fraction, as a truth word, or taken as it is. ``FORWARDED_SECRET``, ``INSPECTOR_API_KEY``,
        ``TLS_CERT_PASSWORD`` and ``TRUSTED_PROXIES`` are not, unless a registered converter says otherwise; keys that
        are true or false are read as truth words only.

        :param prefix: start of the variables' names, not part of the keys.
        :raises ValueError: a text is nothing that its key may hold; other keys raise what setting them does.
        """
        defaults: dict[str, Any] = self.__dict__.get("_defaults", DEFAULT_CONFIG)
        for name, text in os.environ.items():
            if not name.startswith(prefix) or not name.isupper():
                continue
            key = name[len(prefix) :]
            built_in = () if key in _TEXT_KEYS or key in _TRUTH_KEYS else _BUILT_IN_CONVERTERS[::-1]
            converters = [*self._registered_converters(), *built_in]
            value: Any = text
            for converter in converters:
                try:
                    if isinstance(converter, DetailedConverter):
                        value = converter(name, key, text, dict(defaults))
                    else:
                        value = converter(text)
                    break
                except ValueError:
                    continue
            try:
                self[key] = value
            except (KeyError, ValueError, SanicException) as error:
                if type(error) not in (KeyError, ValueError, SanicException):
                    raise
                raise type(error)(f"{error.args[0]} (environment variable {name})") from None

    def register_type(self, converter: Converter) -> None:
        """Add a converter for environment variables that is tried before all present ones.

        The environment is not read again; call `load_environment_vars` for that.

        :param converter: takes the text and returns the value, or raises `ValueError` when the text is not for it;
            an instance of a `DetailedConverter` is told the names too.
        """
        registered = self._registered_converters()
        if converter in registered or converter in _BUILT_IN_CONVERTERS:
            name = getattr(converter, "__name__", type(converter).__name__)
            error_logger.warning("Configuration value converter '%s' has already been registered", name)
            return
        object.__setattr__(self, "_converters", (converter, *registered))

    def update_config(self, config: bytes | str | PathLike[str] | Mapping[str, Any] | Any) -> None:
        """Take the upper-case names of a mapping, class, object or file.

        :param config: a mapping: its keys; a class: what it defines itself; an instance: what its class and it
            define; a path or dotted name: see `sanic.utils.load_module_from_file_location`.
        :raises LoadFileException: environment variables named in a path are not set.
        :raises FileNotFoundError: there is no such file.
        :raises PyFileError: executing the text of a file failed.
        """
        if isinstance(config, (bytes, str, PathLike)):
            config = load_module_from_file_location(config)
            if isinstance(path := getattr(config, "__file__", None), str):
                # Who starts the program again when its files change wants to know of this one, too.
                self.__dict__.setdefault("_files", []).append(os.path.abspath(path))
        self.update({name: value for name, value in _items_of(config) if name.isupper()})

    load = update_config

    def _registered_converters(self) -> tuple[Converter, ...]:
        # Through __dict__: a subclass may never have called __init__, and as an attribute it would be a key.
        registered: tuple[Converter, ...] = self.__dict__.get("_converters", ())
        return registered

    def _store(self, key: str, value: Any) -> None:
        check = _CHECKS.get(key)
        if check is not None and not isinstance(value, Default):
            value = check(key, value)
        super().__setitem__(key, value)


def _built_in_defaults() -> dict[str, Any]:
    return {**DEFAULT_CONFIG, "MOTD_DISPLAY": dict(DEFAULT_CONFIG["MOTD_DISPLAY"])}


def _items_of(source: Any) -> list[tuple[str, Any]]:
    if isinstance(source, Mapping):
        return [(key, source[key]) for key in source if isinstance(key, str)]
    names = list(getattr(source, "__dict__", ()))
    if not isinstance(source, (type, ModuleType)):
        names = [*vars(type(source)), *names]
    return [(name, getattr(source, name)) for name in names if name.isupper()]


def _listed(words: Iterable[str]) -> str:
    return ", ".join(f"'{word}'" for word in words)


Check = Callable[[str, Any], Any]


def _set_deprecation_filter(key: str, value: Any) -> Any:
    import warnings

    if value not in _FILTER_ACTIONS:
        raise ValueError(f"{key} cannot be {value!r}; it is one of {_listed(_FILTER_ACTIONS)}")
    # By the text that sanic.log.deprecation writes, because the warning is attributed to the user's own line.
    warnings.filterwarnings(value, message=r"\[DEPRECATION v", category=DeprecationWarning)
    return value


def _to_cert_creator(key: str, value: Any) -> Any:
    if isinstance(value, str) and not isinstance(value, LocalCertCreator):
        try:
            return LocalCertCreator[value.upper()]
        except KeyError:
            names = _listed(member.name.lower() for member in LocalCertCreator)
            raise KeyError(f"{key} cannot be {value!r}; it is one of {names}") from None
    return value


def _to_bool(key: str, value: Any) -> Any:
    if isinstance(value, str):
        try:
            return str_to_bool(value)
        except ValueError:
            words = "true, yes, on, 1 or false, no, off, 0"
            raise ValueError(f"{key} cannot be {value!r}; it is one of the words {words}") from None
    return value


def _to_trusted_proxies(key: str, value: Any) -> TrustedProxies | None:
    if value is None:
        return None
    from sanic.headers.proxies import TrustedProxies

    return TrustedProxies(value, key)


def _number(meaning: str, *, minimum: float | None = None, optional: bool = False) -> Check:
    """Make a check for a number: text that holds one is converted, anything that cannot be compared is refused."""

    def check(key: str, value: Any) -> Any:
        if value is None and optional:
            return None
        number = value
        try:
            if isinstance(value, str):
                number = _parse_number(value)
            # The comparison refuses other types and "not a number" alike.
            if number >= (float("-inf") if minimum is None else minimum):
                return number
        except (TypeError, ValueError):
            pass
        bound = "" if minimum is None else f", at least {minimum:g}"
        alternative = " or None" if optional else ""
        raise ValueError(f"{key} cannot be {value!r}; it is {meaning}{bound}{alternative}") from None

    return check


def _parse_number(text: str) -> float:
    try:
        return int(text)
    except ValueError:
        return float(text)


_SECONDS: Final = _number("a number of seconds")
_OPTIONAL_SECONDS: Final = _number("a number of seconds", optional=True)
_BYTES: Final = _number("a number of bytes", minimum=0)
_COUNT: Final = _number("a number", minimum=0)

_CHECKS: Final[dict[str, Check]] = {
    **dict.fromkeys(_TRUTH_KEYS, _to_bool),
    "DEPRECATION_FILTER": _set_deprecation_filter,
    "DRAIN_SECONDS": _number("a number of seconds", minimum=0),
    "GRACEFUL_SHUTDOWN_TIMEOUT": _SECONDS,
    "GRACEFUL_TCP_CLOSE_TIMEOUT": _SECONDS,
    "KEEP_ALIVE_TIMEOUT": _SECONDS,
    "LOCAL_CERT_CREATOR": _to_cert_creator,
    "PIPELINE_MAX_QUEUED": _COUNT,
    # A negative count is refused when the application is prepared to serve.
    "PROXIES_COUNT": _number("a number of proxies", optional=True),
    "REQUEST_BUFFER_SIZE": _BYTES,
    "REQUEST_MAX_FORM_FIELDS": _COUNT,
    "REQUEST_MAX_FORM_FIELD_SIZE": _BYTES,
    "REQUEST_MAX_FORM_PARTS": _COUNT,
    "REQUEST_MAX_HEADERS": _COUNT,
    "REQUEST_MAX_HEADER_SIZE": _BYTES,
    "REQUEST_MAX_PART_HEADERS": _COUNT,
    "REQUEST_MAX_PART_HEADER_SIZE": _BYTES,
    "REQUEST_MAX_SIZE": _BYTES,
    "REQUEST_MAX_TARGET_SIZE": _BYTES,
    "REQUEST_MIN_BODY_RATE": _number("a number of bytes per second", minimum=0),
    "REQUEST_TIMEOUT": _SECONDS,
    "RESPONSE_TIMEOUT": _SECONDS,
    "TRUSTED_PROXIES": _to_trusted_proxies,
    "WEBSOCKET_MAX_SIZE": _number("a number of bytes", minimum=0, optional=True),
    "WEBSOCKET_PING_INTERVAL": _OPTIONAL_SECONDS,
    "WEBSOCKET_PING_TIMEOUT": _OPTIONAL_SECONDS,
    "WORKER_HANG_TIMEOUT": _number("a number of seconds", minimum=0, optional=True),
    "WORKER_MAX_REQUESTS": _number("a number of requests", minimum=0),
    "WORKER_MAX_REQUESTS_JITTER": _number("a number of requests", minimum=0),
    "WORKER_MAX_RSS": _number("a number of MiB", minimum=0),
}
