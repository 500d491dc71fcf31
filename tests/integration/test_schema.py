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
    "listeners": [{"bind": ":443", "mode": "tcp", "forward": "app", "tls": {"certificates": [{"cert": "a.crt", "key": "a.key"}]}}],
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
    assert len(mappings) == 29
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
        ("listeners.0.proxy_protocol", {"mode": "required", "trusted": ["10.0.0.0/8", "fd00::/8", "unix"], "version": "v2"}),
        ("listeners.0.proxy_protocol", {"mode": "optional", "trusted": ["192.0.2.1"], "timeout": "250ms", "max_size": "1KiB"}),
        ("listeners.0.proxy_protocol.mode", "none"),
        ("upstreams.app.send_proxy_protocol", "v2-crc32c"),
        ("listeners.0.mode", "http"),
        ("listeners.0.tls.session_tickets", False),
        ("listeners.0.tls.session_tickets", "${TICKETS:-false}"),
        ("upstreams.app.address", 7766),
        ("upstreams.app.address", "unix:/run/app.sock"),
        ("upstreams.app.address", "localhost:7766"),
        ("upstreams.app.address", "app.example:7766"),
        ("upstreams.app.address", "h2c://app.example:7766"),
        ("upstreams.app.address", ["127.0.0.1:1", 2, "unix:/run/app.sock", "app.example:7766"]),
        ("upstreams.app.idle", "250ms"),
        ("upstreams.app.max_idle", 0),
        ("upstreams.app.skip_refused", "1h"),
        ("dns.servers", ["10.0.0.2", "fd00::2", "127.0.0.1:8600"]),
        ("dns.timeout", "1m"),
        ("dns.min_ttl", "60s"),
        ("dns.max_ttl", "168h"),
        ("shards", 4),
        ("shards", "auto"),
        ("shards", "${SHARDS:-4}"),
        ("limits", None),
        ("limits.idle_timeout", "250ms"),
        ("limits.buffers", "1MiB"),
        ("limits.http", None),
        ("limits.http.max_body_size", "10GiB"),
        ("limits.http.min_body_rate", "${RATE:-1KiB}"),
        ("limits.http.tunnel_idle", "168h"),
        ("limits.http.close_timeout", "1h"),
        ("limits.http.lingering_timeout", "250ms"),
        ("limits.http.lingering_time", "${LINGER:-1m}"),
        ("limits.http.max_concurrent_streams", 1),
        ("limits.http2", {"stream_window": "1MiB", "connection_window": "16MiB"}),
        ("app", {"upstream": "app", "uid": 1000, "gid": 1000}),
        ("app.restart", "on-failure"),
        ("app.start_timeout", "90s"),
        ("app.stop_signal", "QUIT"),
        ("app.stop_timeout", "250ms"),
        ("bypass.strict", True),
        ("log.level", "none"),
        ("log.audit", "syslog"),
        ("log.audit", "fd:3"),
        ("log.access.format", "combined"),
        ("log.access", {"headers": ["X-Tenant", "cookie"], "redact": ["patient id"]}),
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
        ("listeners.0.bind", "https"),
        ("listeners.0.mode", "grpc"),
        ("listeners.0.tls.profile", "old"),
        ("listeners.0.tls.certificates.0", {"key": "a.key"}),
        ("listeners.0.tls.certificates.0.password", "x"),
        ("listeners.0.tls.alpn", "h2"),
        ("listeners.0.proxy_protocol", "required"),
        ("listeners.0.proxy_protocol.mode", "always"),
        ("listeners.0.proxy_protocol.trusted", "10.0.0.0/8"),
        ("listeners.0.proxy_protocol.trusted", ["balancer"]),
        ("listeners.0.proxy_protocol.version", 3),
        ("listeners.0.proxy_protocol.timeout", 5),
        ("listeners.0.proxy_protocol.max_size", "4KB"),
        ("upstreams.app.send_proxy_protocol", True),
        ("listeners.0.tls.session_tickets", "sometimes"),
        ("listeners.0.tls.ticket_lifetime", "500ms"),
        ("upstreams", []),
        ("upstreams.app", {}),
        ("upstreams.1app", {"address": "127.0.0.1:1"}),
        ("upstreams.app.address", "tls://10.0.0.1:443"),
        ("upstreams.app.address", "app.example"),
        ("upstreams.app.address", "http://app.example:80/"),
        ("upstreams.app.address", []),
        ("upstreams.app.address", ["127.0.0.1:1", "127.0.0.1"]),
        ("upstreams.app.idle", 4),
        ("upstreams.app.max_idle", -1),
        ("upstreams.app.skip_refused", "0s"),
        ("dns.servers", "10.0.0.2"),
        ("dns.servers", ["ns.example"]),
        ("dns.timeout", 2),
        ("dns.min_ttl", "none"),
        ("dns.max_ttl", "0s"),
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
        ("limits.http", 5),
        ("limits.http.max_body_size", 0),
        ("limits.http.max_header_size", "64K"),
        ("limits.http.max_header_count", 0),
        ("limits.http.header_timeout", "0s"),
        ("limits.http.response_timeout", 60),
        ("limits.http2.stream_window", 262144),
        ("limits.http2", "1MiB"),
        ("certificates", "30s"),
        ("certificates.check_every", "25"),
        ("drain.timeout", None),
        ("drain.delay", "sometimes"),
        ("drain.until_upstream_gone", "app"),
        ("reload.drain_timeout", "0s"),
        ("reload.max_generations", 1),
        ("reload.last_call", "6"),
        ("bypass", True),
        ("bypass.strict", "sometimes"),
        ("log.level", "verbose"),
        ("log.audit", "stderr"),
        ("log.access", "combined"),
        ("log.access.format", "json"),
        ("log.access.headers", "accept"),
        ("log.access.redact", ["x" * 101]),
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


def changed_site(path, value):
    """The same, its listener of mode http."""
    config = changed(path, value)
    config["listeners"][0]["mode"] = "http"
    return config


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("routes", [{"host": "*.a.example", "path": ["/a", "/b/"], "methods": "GET", "forward": "app"}]),
        ("routes", [{"path": "${PATH_OF_API:-/api}"}]),
        ("forwarded", "rfc7239"),
        ("trusted_proxies", ["10.0.0.0/8", "fd00::/8", "192.0.2.1", "unix"]),
        ("hsts", {"max_age": "8760h", "include_subdomains": True, "preload": True}),
        ("headers", {"request": {"set": {"X-A": "b", "X-B": 1}, "add": {"X-C": ""}, "remove": ["Cookie"]}, "response": None}),
    ],
)
def test_good_sites_are_good_for_both(built, validator, path, value):
    config = changed_site(f"listeners.0.{path}", value)
    validator.validate(config)
    checked = check(built, "--print", SALLYPORT_CONFIG=yaml.safe_dump(config))
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("routes", {}),
        ("routes", [{"host": "a b"}]),
        ("routes", [{"path": "api"}]),
        ("routes", [{"path": "/a*"}]),
        ("routes", [{"methods": ["get"]}]),
        ("routes", [{"path": "/", "to": "app"}]),
        ("redirect", "http"),
        ("forwarded", "off"),
        ("trusted_proxies", ["proxy.example"]),
        ("trusted_proxies", "10.0.0.0/8"),
        ("hsts", {"include_subdomains": True}),
        ("hsts", {"max_age": 31536000}),
        ("headers", {"set": {"X-A": "b"}}),
        ("headers", {"request": {"set": ["X-A"]}}),
        ("headers", {"request": {"set": {"X A": "b"}}}),
        ("headers", {"request": {"set": {"X-A": ["b"]}}}),
    ],
)
def test_broken_sites_are_broken_for_both(built, validator, path, value):
    config = changed_site(f"listeners.0.{path}", value)
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(config)
    checked = check(built, SALLYPORT_CONFIG=yaml.safe_dump(config))
    assert checked.returncode == 78
    assert "SALLYPORT_CONFIG:" in checked.stderr
