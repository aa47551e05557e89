"""Settings: setting and reading them, checks, environment, files."""

from __future__ import annotations

import copy
import logging
import pickle
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sanic.config import DEFAULT_CONFIG, SANIC_PREFIX, Config, DetailedConverter
from sanic.constants import LocalCertCreator
from sanic.exceptions import LoadFileException, PyFileError, SanicException
from sanic.helpers import Default, _default
from sanic.log import deprecation

Setter = Callable[[Config, str, Any], None]


@pytest.fixture(autouse=True)
def _only_own_filters() -> Any:
    with warnings.catch_warnings():
        yield


@pytest.fixture
def config() -> Config:
    return Config(env_prefix=None)


def by_item(config: Config, key: str, value: Any) -> None:
    config[key] = value


def by_mapping(config: Config, key: str, value: Any) -> None:
    config.update({key: value})


def by_pairs(config: Config, key: str, value: Any) -> None:
    config.update([(key, value)])


def by_keyword(config: Config, key: str, value: Any) -> None:
    config.update(**{key: value})


def by_operator(config: Config, key: str, value: Any) -> None:
    config |= {key: value}


def by_load(config: Config, key: str, value: Any) -> None:
    config.load({key: value})


every_way = pytest.mark.parametrize(
    "set_value", [setattr, by_item, by_mapping, by_pairs, by_keyword, by_operator, by_load]
)


@every_way
def test_a_key_set_in_any_way_reads_as_item_and_attribute(config: Config, set_value: Setter) -> None:
    set_value(config, "THING", 1)
    assert config.THING == config["THING"] == config.get("THING") == 1


@pytest.mark.parametrize("set_value", [setattr, by_item, by_mapping, by_pairs, by_keyword])
def test_lower_case_keys_are_stored_as_given(config: Config, set_value: Setter) -> None:
    set_value(config, "thing", 1)
    assert config.thing == config["thing"] == 1


def test_a_missing_key_is_the_error_of_its_access(config: Config) -> None:
    with pytest.raises(AttributeError, match="Config has no 'NOPE'"):
        config.NOPE  # noqa: B018
    with pytest.raises(KeyError):
        config["NOPE"]
    with pytest.raises(AttributeError, match="NOPE"):
        del config.NOPE


def test_a_key_can_be_deleted_as_attribute(config: Config) -> None:
    config.THING = 1
    del config.THING
    assert "THING" not in config


def test_setdefault_checks_too(config: Config) -> None:
    assert config.setdefault("THING", 1) == 1
    assert config.setdefault("THING", 2) == 1
    del config["REQUEST_MAX_SIZE"]
    with pytest.raises(ValueError, match="REQUEST_MAX_SIZE"):
        config.setdefault("REQUEST_MAX_SIZE", "abc")


def test_the_built_in_defaults_are_those_of_default_config(config: Config) -> None:
    assert dict(config) == DEFAULT_CONFIG
    assert "SERVER_NAME" not in config


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("ACCESS_LOG", False),
        ("AUTO_EXTEND", True),
        ("AUTO_HEAD", True),
        ("AUTO_OPTIONS", False),
        ("EVENT_AUTOREGISTER", False),
        ("FALLBACK_ERROR_FORMAT", "auto"),
        ("FORWARDED_SECRET", None),
        ("GRACEFUL_SHUTDOWN_TIMEOUT", 15.0),
        ("GRACEFUL_TCP_CLOSE_TIMEOUT", 5.0),
        ("INSPECTOR_PORT", 6457),
        ("KEEP_ALIVE_TIMEOUT", 120),
        ("PIPELINE_MAX_QUEUED", 16),
        ("PROXIES_COUNT", None),
        ("REQUEST_BUFFER_SIZE", 65536),
        ("REQUEST_MAX_FORM_FIELDS", 10_000),
        ("REQUEST_MAX_FORM_FIELD_SIZE", 1_048_576),
        ("REQUEST_MAX_FORM_PARTS", 1000),
        ("REQUEST_MAX_HEADERS", 100),
        ("REQUEST_MAX_HEADER_SIZE", 8192),
        ("REQUEST_MAX_PART_HEADERS", 8),
        ("REQUEST_MAX_PART_HEADER_SIZE", 8192),
        ("REQUEST_MAX_SIZE", 100_000_000),
        ("REQUEST_MAX_TARGET_SIZE", 65535),
        ("REQUEST_MIN_BODY_RATE", 240),
        ("REQUEST_TIMEOUT", 60),
        ("RESPONSE_TIMEOUT", 60),
        ("WEBSOCKET_COMPRESSION", False),
        ("WEBSOCKET_MAX_SIZE", 1_048_576),
        ("WEBSOCKET_ORIGINS", None),
        ("WEBSOCKET_PING_INTERVAL", 20),
    ],
)
def test_these_are_the_defaults(config: Config, key: str, value: Any) -> None:
    assert config[key] == getattr(config, key) == value


@pytest.mark.parametrize("key", ["LOG_EXTRA", "TOUCHUP", "USE_UVLOOP", "LOCAL_TLS_KEY", "INSPECTOR_TLS_CERT"])
def test_these_keys_are_unset_by_default(config: Config, key: str) -> None:
    assert isinstance(config[key], Default)


def test_two_configurations_share_nothing_that_can_change() -> None:
    first, second = Config(), Config()
    first.MOTD_DISPLAY["row"] = "text"
    assert second.MOTD_DISPLAY == DEFAULT_CONFIG["MOTD_DISPLAY"] == {}


def test_later_sources_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANIC_A", "3")
    config = Config({"A": 1, "KEEP_ALIVE": True, "KEEP_ALIVE_TIMEOUT": 7}, keep_alive=False)
    assert config.A == 3
    assert config.KEEP_ALIVE is False
    assert config.KEEP_ALIVE_TIMEOUT == 7


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda config: pickle.loads(pickle.dumps(config))])
def test_a_duplicate_is_equal_and_still_a_config(config: Config, duplicate: Callable[[Config], Config]) -> None:
    config.update(THING=1, FALLBACK_ERROR_FORMAT="json")
    other = duplicate(config)
    assert type(other) is Config
    assert other == config
    assert other.THING == 1
    other.THING = 2
    assert config.THING == 1


# Checks


@every_way
def test_every_way_of_setting_runs_the_checks(config: Config, set_value: Setter) -> None:
    set_value(config, "LOCAL_CERT_CREATOR", "mkcert")
    assert config.LOCAL_CERT_CREATOR is LocalCertCreator.MKCERT
    with pytest.raises(ValueError, match="REQUEST_TIMEOUT cannot be 'abc'; it is a number of seconds"):
        set_value(config, "REQUEST_TIMEOUT", "abc")
    assert config.REQUEST_TIMEOUT == 60


@pytest.mark.parametrize(
    "key",
    [
        "REQUEST_BUFFER_SIZE",
        "REQUEST_MAX_FORM_FIELDS",
        "REQUEST_MAX_FORM_FIELD_SIZE",
        "REQUEST_MAX_FORM_PARTS",
        "REQUEST_MAX_HEADERS",
        "REQUEST_MAX_HEADER_SIZE",
        "REQUEST_MAX_PART_HEADERS",
        "REQUEST_MAX_PART_HEADER_SIZE",
        "REQUEST_MAX_SIZE",
        "REQUEST_MAX_TARGET_SIZE",
        "REQUEST_MIN_BODY_RATE",
        "PIPELINE_MAX_QUEUED",
        "WEBSOCKET_MAX_SIZE",
    ],
)
def test_sizes_and_counts_are_numbers_from_zero(config: Config, key: str) -> None:
    for value in (0, 1, 1e6):
        config[key] = value
        assert config[key] == value
    for value in (-1, "abc", "", [], float("nan")):
        with pytest.raises(ValueError, match=f"{key} cannot be .* at least 0"):
            config[key] = value


@pytest.mark.parametrize(
    "key",
    [
        "REQUEST_TIMEOUT",
        "RESPONSE_TIMEOUT",
        "KEEP_ALIVE_TIMEOUT",
        "GRACEFUL_SHUTDOWN_TIMEOUT",
        "GRACEFUL_TCP_CLOSE_TIMEOUT",
    ],
)
def test_timeouts_are_numbers(config: Config, key: str) -> None:
    for value in (0, 0.5, 60, float("inf")):
        config[key] = value
        assert config[key] == value
    for value in (None, "abc", [], float("nan")):
        with pytest.raises(ValueError, match=f"{key} cannot be"):
            config[key] = value


TRUTH_KEYS = [*(key for key, value in DEFAULT_CONFIG.items() if isinstance(value, bool)), "USE_UVLOOP", "LOG_EXTRA"]


@pytest.mark.parametrize("key", TRUTH_KEYS)
def test_text_for_what_is_true_or_false_is_a_truth_word(
    config: Config, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for text, value in (("yes", True), ("OFF", False), ("1", True), ("0", False)):
        config[key] = text
        assert config[key] is value
        monkeypatch.setenv(f"SANIC_{key}", text)
        assert Config()[key] is value
    said = "it is one of the words true, yes, on, 1 or false, no, off, 0"
    for text in ("maybe", "7", "", "None"):
        with pytest.raises(ValueError, match=f"^{key} cannot be '{text}'; {said}$"):
            config[key] = text
        monkeypatch.setenv(f"SANIC_{key}", text)
        with pytest.raises(
            ValueError, match=rf"^{key} cannot be '{text}'; {said} \(environment variable SANIC_{key}\)$"
        ):
            Config()


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("REQUEST_TIMEOUT", ValueError),
        ("LOCAL_CERT_CREATOR", KeyError),
        ("TRUSTED_PROXIES", ValueError),
        ("FALLBACK_ERROR_FORMAT", SanicException),
    ],
)
def test_what_the_environment_got_wrong_is_told_with_the_name_of_the_variable(
    monkeypatch: pytest.MonkeyPatch, key: str, kind: type[Exception]
) -> None:
    monkeypatch.setenv(f"SHOP_{key}", "nonsense")
    with pytest.raises(kind, match=rf"{key}.*\(environment variable SHOP_{key}\)"):
        Config(env_prefix="SHOP_")


def test_a_number_given_as_text_is_converted(config: Config) -> None:
    config.update(REQUEST_TIMEOUT="5", RESPONSE_TIMEOUT="0.5")
    assert config.REQUEST_TIMEOUT == 5
    assert config.RESPONSE_TIMEOUT == 0.5


@pytest.mark.parametrize(
    "key", ["PROXIES_COUNT", "WEBSOCKET_MAX_SIZE", "WEBSOCKET_PING_INTERVAL", "WEBSOCKET_PING_TIMEOUT"]
)
def test_these_numbers_may_be_none(config: Config, key: str) -> None:
    config[key] = None
    assert config[key] is None
    with pytest.raises(ValueError, match="or None"):
        config[key] = "abc"


@pytest.mark.parametrize("key", sorted(DEFAULT_CONFIG.keys() - {"FALLBACK_ERROR_FORMAT"}))
def test_every_key_can_be_unset(config: Config, key: str) -> None:
    config[key] = _default
    assert config[key] is _default


@pytest.mark.parametrize("text", ["auto", "AUTO", "trustme", "TrustMe", "MKCERT"])
def test_the_certificate_tool_is_named_in_any_case(config: Config, text: str) -> None:
    config.LOCAL_CERT_CREATOR = text
    assert config.LOCAL_CERT_CREATOR is LocalCertCreator[text.upper()]


def test_an_unknown_certificate_tool_is_a_key_error(config: Config) -> None:
    with pytest.raises(KeyError, match="openssl"):
        config.LOCAL_CERT_CREATOR = "openssl"


@pytest.mark.parametrize(
    ("settings", "limit"),
    [
        ({}, 8192),
        ({"REQUEST_MAX_HEADER_SIZE": 100}, 100),
        ({"REQUEST_MAX_HEADER_SIZE": 16384}, 16384),
        ({"REQUEST_MAX_HEADER_SIZE": 16385}, 16384),
        ({"REQUEST_BUFFER_SIZE": 4096 + 500}, 500),
        ({"REQUEST_MAX_SIZE": 300}, 300),
    ],
)
def test_the_header_limit_is_the_smallest_of_all_that_bound_it(settings: dict[str, int], limit: int) -> None:
    config, other = Config(), Config()
    config.update(settings)
    assert config.request_max_header_size == limit
    assert other.request_max_header_size == 8192


def test_the_header_limit_cannot_be_set(config: Config) -> None:
    with pytest.raises(AttributeError):
        config.request_max_header_size = 1  # type: ignore[misc]


# Error format


@pytest.mark.parametrize("value", ["auto", "html", "json", "text"])
@every_way
def test_the_error_format_reads_as_item_and_attribute(config: Config, set_value: Setter, value: str) -> None:
    set_value(config, "FALLBACK_ERROR_FORMAT", value)
    assert config.FALLBACK_ERROR_FORMAT == config["FALLBACK_ERROR_FORMAT"] == value


@every_way
def test_an_unknown_error_format_is_refused(config: Config, set_value: Setter) -> None:
    with pytest.raises(SanicException, match="Unknown format: xml"):
        set_value(config, "FALLBACK_ERROR_FORMAT", "xml")
    assert config.FALLBACK_ERROR_FORMAT == "auto"


def test_changing_the_error_format_twice_warns(config: Config, caplog: pytest.LogCaptureFixture) -> None:
    config.FALLBACK_ERROR_FORMAT = "json"
    config.FALLBACK_ERROR_FORMAT = "json"
    assert not caplog.records
    config.FALLBACK_ERROR_FORMAT = "html"
    assert [(record.name, record.levelno) for record in caplog.records] == [("sanic.error", logging.WARNING)]
    assert "'json' to 'html'" in caplog.text


# Deprecations


def test_deprecations_follow_the_filter(config: Config) -> None:
    def outdated() -> None:
        deprecation("use something else", 99.9)

    config.DEPRECATION_FILTER = "error"
    with pytest.raises(DeprecationWarning, match=r"^\[DEPRECATION v99\.9\] use something else$"):
        outdated()
    config.DEPRECATION_FILTER = "ignore"
    outdated()
    with warnings.catch_warnings(record=True) as caught:
        config.DEPRECATION_FILTER = "always"
        outdated()
    assert [warning.filename for warning in caught] == [__file__]


def test_an_unknown_deprecation_filter_is_refused(config: Config) -> None:
    with pytest.raises(ValueError, match="DEPRECATION_FILTER cannot be 'loud'"):
        config["DEPRECATION_FILTER"] = "loud"


# Subclasses


class WithProperty(Config):
    @property
    def LEVEL(self) -> int:
        return int(self._level)

    @LEVEL.setter
    def LEVEL(self, value: int) -> None:
        self._level = value * 10


@every_way
def test_a_property_of_a_subclass_stores_in_its_own_way(set_value: Setter) -> None:
    config = WithProperty(env_prefix=None)
    set_value(config, "LEVEL", 2)
    assert config.LEVEL == 20


def test_a_property_is_set_by_defaults_and_environment_too(monkeypatch: pytest.MonkeyPatch) -> None:
    assert WithProperty({"LEVEL": 3}).LEVEL == 30
    monkeypatch.setenv("SANIC_LEVEL", "4")
    assert WithProperty().LEVEL == 40


class WithoutInit(Config):
    def __init__(self, thing: int) -> None:
        self.THING = thing
        self.REQUEST_TIMEOUT = 5
        self.load({"OTHER": 2, "lower": 3})


def test_a_subclass_need_not_call_our_init(monkeypatch: pytest.MonkeyPatch) -> None:
    config = WithoutInit(1)
    assert dict(config.items()) == {"THING": 1, "REQUEST_TIMEOUT": 5, "OTHER": 2}
    assert config.get("NOPE") is None
    assert config.FALLBACK_ERROR_FORMAT == "auto"
    assert config.request_max_header_size == 8192
    config.register_type(Shouted())
    monkeypatch.setenv("SANIC_NAME", "x!")
    config.load_environment_vars()
    assert config.NAME == ("SANIC_NAME", "NAME", "x!")
    target = Config(env_prefix=None)
    target.update(config)
    assert target.THING == 1


# Environment


class Shouted(DetailedConverter):
    def __call__(self, full_key: str, config_key: str, value: str, defaults: dict[str, Any]) -> Any:
        if not value.endswith("!"):
            raise ValueError
        return full_key, config_key, value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("0", 0),
        ("1e3", 1000.0),
        (" 7 ", 7),
        ("-1.5", -1.5),
        ("yes", True),
        ("OFF", False),
        ("[1]", "[1]"),
        ("None", "None"),
        ("", ""),
        ("text", "text"),
    ],
)
def test_environment_text_is_converted(monkeypatch: pytest.MonkeyPatch, text: str, value: Any) -> None:
    monkeypatch.setenv("SANIC_THING", text)
    found = Config().THING
    assert found == value
    assert type(found) is type(value)


def test_only_variables_in_upper_case_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANIC_g", "1")
    monkeypatch.setenv("SANIC_Mixed", "1")
    monkeypatch.setenv("OTHER_THING", "1")
    config = Config()
    assert not {"g", "Mixed", "THING", "OTHER_THING"} & set(config)


def test_another_prefix_can_be_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MYAPP_THING", "1")
    monkeypatch.setenv("SANIC_OTHER", "2")
    config = Config(env_prefix="MYAPP_")
    assert config.THING == 1
    assert "OTHER" not in config


@pytest.mark.parametrize("prefix", [None, ""])
def test_without_a_prefix_nothing_is_loaded(monkeypatch: pytest.MonkeyPatch, prefix: str | None) -> None:
    monkeypatch.setenv("SANIC_THING", "1")
    assert dict(Config(env_prefix=prefix)) == DEFAULT_CONFIG


def test_the_environment_is_checked_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANIC_LOCAL_CERT_CREATOR", "mkcert")
    monkeypatch.setenv("SANIC_FALLBACK_ERROR_FORMAT", "json")
    config = Config()
    assert config.LOCAL_CERT_CREATOR is LocalCertCreator.MKCERT
    assert config.FALLBACK_ERROR_FORMAT == "json"
    monkeypatch.setenv("SANIC_REQUEST_TIMEOUT", "soon")
    with pytest.raises(ValueError, match="REQUEST_TIMEOUT cannot be 'soon'"):
        Config()


@pytest.mark.parametrize("key", ["FORWARDED_SECRET", "INSPECTOR_API_KEY", "TLS_CERT_PASSWORD"])
@pytest.mark.parametrize("text", ["0123", "1e3", "yes"])
def test_secrets_stay_text(monkeypatch: pytest.MonkeyPatch, key: str, text: str) -> None:
    monkeypatch.setenv(SANIC_PREFIX + key, text)
    assert Config()[key] == text


def test_the_newest_converter_is_tried_first(monkeypatch: pytest.MonkeyPatch) -> None:
    def first(text: str) -> str:
        return f"first {text}"

    def second(text: str) -> str:
        if text == "1":
            raise ValueError
        return f"second {text}"

    monkeypatch.setenv("SANIC_A", "1")
    monkeypatch.setenv("SANIC_B", "2")
    config = Config(converters=[first, second], defaults={"REQUEST_TIMEOUT": 1})
    assert (config.A, config.B) == ("first 1", "second 2")


def test_only_a_value_error_means_try_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(text: str) -> str:
        raise TypeError("broken")

    monkeypatch.setenv("SANIC_A", "1")
    with pytest.raises(TypeError, match="broken"):
        Config(converters=[broken])


def test_a_detailed_converter_is_told_names_and_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    class Like(DetailedConverter):
        def __call__(self, full_key: str, config_key: str, value: str, defaults: dict[str, Any]) -> Any:
            if config_key not in defaults:
                raise ValueError
            return full_key, value, type(defaults[config_key])

    monkeypatch.setenv("SANIC_MINE", "1")
    monkeypatch.setenv("SANIC_LOCALHOST", "1")
    monkeypatch.setenv("SANIC_OTHER", "1")
    config = Config({"MINE": ()}, converters=[Like()])
    assert config["MINE"] == ("SANIC_MINE", "1", tuple)
    assert config["LOCALHOST"] == ("SANIC_LOCALHOST", "1", str)
    assert config["OTHER"] == 1


def test_registering_does_not_read_the_environment_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANIC_NAME", "x!")
    config = Config()
    config.register_type(Shouted())
    assert config.NAME == "x!"
    config.load_environment_vars()
    assert config.NAME == ("SANIC_NAME", "NAME", "x!")


@pytest.mark.parametrize("converter", [str, int])
def test_registering_twice_warns(config: Config, caplog: pytest.LogCaptureFixture, converter: type) -> None:
    config.register_type(converter)
    assert [(record.name, record.levelno) for record in caplog.records] == [("sanic.error", logging.WARNING)]
    assert f"'{converter.__name__}' has already been registered" in caplog.text


# Loading


class Base:
    INHERITED = 1


class Settings(Base):
    OWN = 2
    lower = 3

    def __init__(self) -> None:
        self.INSTANCE = 4
        self.other = 5

    @property
    def COMPUTED(self) -> int:
        return 6


def test_a_class_gives_what_it_defines_itself(config: Config) -> None:
    class Plain(Base):
        OWN = 2
        lower = 3

    config.update_config(Plain)
    assert config.OWN == 2
    assert not {"INHERITED", "lower"} & set(config)


def test_an_instance_gives_what_it_and_its_class_define(config: Config) -> None:
    config.update_config(Settings())
    assert (config.OWN, config.INSTANCE, config.COMPUTED) == (2, 4, 6)
    assert not {"INHERITED", "lower", "other"} & set(config)


def test_a_mapping_gives_its_upper_case_keys(config: Config) -> None:
    config.load({"UP": 1, "low": 2, "Mixed": 3})
    assert config.UP == 1
    assert not {"low", "Mixed"} & set(config)


@pytest.mark.parametrize("name", ["settings.py", "settings.cfg"])
def test_a_file_gives_its_upper_case_names(config: Config, tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_text("UP = 1\nlow = 2\nREQUEST_TIMEOUT = UP + 4\n")
    config.update_config(file)
    assert (config.UP, config.REQUEST_TIMEOUT) == (1, 5)
    assert "low" not in config


def test_a_dotted_name_gives_the_names_of_what_it_makes(config: Config) -> None:
    config.load(f"{__name__}.Settings")
    assert config.INSTANCE == 4


def test_what_cannot_be_loaded_raises(config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOT_SET", raising=False)
    (tmp_path / "broken.cfg").write_text("1 / 0")
    with pytest.raises(FileNotFoundError):
        config.load(tmp_path / "none.py")
    with pytest.raises(PyFileError):
        config.load(tmp_path / "broken.cfg")
    with pytest.raises(LoadFileException, match="NOT_SET"):
        config.load("${NOT_SET}/settings.py")
    with pytest.raises(OSError, match="nodots"):
        config.load("nodots")
