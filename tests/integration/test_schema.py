"""The JSON Schema of the configuration and `sallyport check` agree: on the files in config/, and on broken ones.

Good ones are checked with --print, which reads no certificate: theirs do not exist.
"""

import copy
import json
import os
import subprocess

import jsonschema
import pytest
import yaml

FILES = ["sallyport.yaml", "minimal.yaml"]
MINIMAL = {
    "listeners": [{"bind": ":443", "forward": "app", "tls": {"certificates": [{"cert": "a.crt", "key": "a.key"}]}}],
    "upstreams": {"app": {"address": "127.0.0.1:7766"}},
}


def environment(**variables):
    plain = {name: value for name, value in os.environ.items() if not name.startswith("SALLYPORT_")}
    return plain | variables


def check(built, *flags, **variables):
    return subprocess.run(
        [built / "sallyport", "check", *flags], env=environment(**variables), capture_output=True, text=True, timeout=30
    )


def changed(path, value):
    """The minimal configuration with another value at a path such as "listeners.0.bind"."""
    config = copy.deepcopy(MINIMAL)
    *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    place = config
    for step in way:
        place = place.setdefault(step, {}) if isinstance(place, dict) else place[step]
    place[last] = value
    return config


@pytest.fixture(scope="module")
def schema(built):
    printed = check(built, "--schema")
    assert printed.returncode == 0, printed.stderr
    return json.loads(printed.stdout)


@pytest.fixture(scope="module")
def validator(schema):
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def keys_of(schema, path=""):
    """Every mapping of the schema, by its path."""
    if "properties" in schema:
        yield path, schema
        for name, inside in schema["properties"].items():
            yield from keys_of(inside, f"{path}.{name}")
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), dict):
            yield from keys_of(schema[name], path)


def test_the_schema_in_config_is_the_one_that_is_printed(source_dir, schema):
    assert json.loads((source_dir / "config" / "sallyport.schema.json").read_text()) == schema


def test_no_mapping_takes_an_unknown_key_and_every_key_is_described(schema):
    mappings = dict(keys_of(schema))
    assert len(mappings) == 12
    for path, mapping in mappings.items():
        assert mapping["additionalProperties"] is False, path
        for name, key in mapping["properties"].items():
            assert key["description"].endswith("."), f"{path}.{name}"


def test_every_default_is_valid(schema):
    for path, mapping in keys_of(schema):
        for name, key in mapping["properties"].items():
            if "default" in key:
                jsonschema.Draft202012Validator(key).validate(key["default"])


@pytest.mark.parametrize("name", FILES)
def test_the_files_in_config_are_valid(source_dir, built, validator, name):
    path = source_dir / "config" / name
    validator.validate(yaml.safe_load(path.read_text()))
    checked = check(built, "--print", "--config", path)
    assert checked.returncode == 0, checked.stderr


def test_what_is_printed_is_valid_and_prints_again_as_it_is(source_dir, built, validator):
    printed = check(built, "--print", "--config", source_dir / "config" / "sallyport.yaml")
    assert printed.returncode == 0, printed.stderr
    validator.validate(yaml.safe_load(printed.stdout))
    again = check(built, "--print", SALLYPORT_CONFIG=printed.stdout)
    assert (again.returncode, again.stdout) == (0, printed.stdout)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("listeners.0.bind", 443),
        ("listeners.0.bind", "[::1]:443"),
        ("listeners.0.bind", "fd:3"),
        ("listeners.0.bind", "systemd:https"),
        ("listeners.0.bind", "${BIND:-443}"),
        ("listeners.0.tls.alpn", ["h2", "http/1.1"]),
        ("listeners.0.tls.session_tickets", False),
        ("listeners.0.tls.session_tickets", "${TICKETS:-false}"),
        ("upstreams.app.address", 7766),
        ("upstreams.app.address", "unix:/run/app.sock"),
        ("upstreams.app.address", "localhost:7766"),
        ("shards", 4),
        ("shards", "auto"),
        ("shards", "${SHARDS:-4}"),
        ("limits", None),
        ("limits.idle_timeout", "250ms"),
        ("limits.buffers", "1MiB"),
        ("app", {"upstream": "app", "uid": 1000, "gid": 1000}),
        ("app.restart", "on-failure"),
        ("app.start_timeout", "90s"),
        ("app.stop_signal", "QUIT"),
        ("app.stop_timeout", "250ms"),
        ("bypass.strict", True),
        ("log.level", "none"),
        ("log.audit", "syslog"),
        ("log.audit", "fd:3"),
    ],
)
def test_good_values_are_good_for_both(built, validator, path, value):
    config = changed(path, value)
    validator.validate(config)
    checked = check(built, "--print", SALLYPORT_CONFIG=yaml.safe_dump(config))
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("lisen", []),
        ("listeners", {}),
        ("listeners.0", "443"),
        ("listeners.0.redirect", "https"),
        ("listeners.0.bind", "https"),
        ("listeners.0.mode", "http"),
        ("listeners.0.tls.profile", "old"),
        ("listeners.0.tls.certificates.0", {"key": "a.key"}),
        ("listeners.0.tls.certificates.0.password", "x"),
        ("listeners.0.tls.alpn", "h2"),
        ("listeners.0.tls.session_tickets", "sometimes"),
        ("listeners.0.tls.ticket_lifetime", "500ms"),
        ("upstreams", []),
        ("upstreams.app", {}),
        ("upstreams.1app", {"address": "127.0.0.1:1"}),
        ("upstreams.app.address", "tls://10.0.0.1:443"),
        ("upstreams.app.address", "app.example:7766"),
        ("upstreams.app.address", ["127.0.0.1:1", "127.0.0.1:2"]),
        ("shards", 0),
        ("shards", "many"),
        ("keys", "worker"),
        ("keys", False),
        ("user.uid", 0),
        ("app", "uvicorn"),
        ("app.uid", 0),
        ("app.restart", "always"),
        ("app.restart", False),
        ("app.start_timeout", "0s"),
        ("app.stop_signal", "KILL"),
        ("app.stop_timeout", 4),
        ("limits", 5),
        ("limits.max_connections", 0),
        ("limits.idle_timeout", 10),
        ("limits.idle_timeout", "10"),
        ("limits.idle_timeout", "0s"),
        ("limits.buffers", "64KB"),
        ("drain.timeout", None),
        ("bypass", True),
        ("bypass.strict", "sometimes"),
        ("log.level", "verbose"),
        ("log.audit", "stderr"),
        ("log.queue_lines", 1.5),
    ],
)
def test_broken_values_are_broken_for_both(built, validator, path, value):
    config = changed(path, value)
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(config)
    checked = check(built, SALLYPORT_CONFIG=yaml.safe_dump(config))
    assert checked.returncode == 78
    assert "SALLYPORT_CONFIG:" in checked.stderr


def test_a_mistake_has_file_line_and_column(built, tmp_path):
    path = tmp_path / "sallyport.yaml"
    path.write_text("listeners:\n  - bind: ':443'\n    forwrd: app\n")
    checked = check(built, "--config", path)
    assert checked.returncode == 78
    assert f"{path}:3:5: unknown key 'forwrd': did you mean 'forward'?" in checked.stderr
