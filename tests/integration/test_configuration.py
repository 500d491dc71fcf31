"""`sallyport check`: what is right, what is wrong and where. The schema and single values: test_schema.py."""

import json
import subprocess

import pytest
import yaml

from support.pki import Pair

FILES = ["sallyport.yaml", "minimal.yaml"]


@pytest.fixture
def check(installation):
    """check(*arguments, **environment): the finished `sallyport check`, with both outputs as text."""

    def run(*arguments, **environment):
        return subprocess.run([installation.sallyport, "check", *map(str, arguments)], env=environment, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=20)

    return run


@pytest.fixture
def checked_text(check, tmp_path):
    """checked_text(text): the outcome of a file with this text."""

    def run(text):
        file = tmp_path / "given.yaml"
        file.write_text(text)
        return check("--config", file)

    return run


@pytest.mark.parametrize("name", FILES)
def test_the_files_we_ship_are_good_once_their_certificate_is_there(check, checked_text, source_dir, pki, name):
    # Goal: documentation that runs. Method: `check` on each file of config/, as it is and with a real pair.
    text, pair = (source_dir / "config" / name).read_text(), pki.pair()
    missing = checked_text(text)
    assert missing.returncode == 78 and "/run/secrets/tls.crt" in missing.stderr
    text = text.replace("/run/secrets/tls.crt", str(pair.cert)).replace("/run/secrets/tls.key", str(pair.key))
    done = checked_text(text)
    assert done.returncode == 0, done.stderr
    assert "EC P-256" in done.stdout and "localhost" in done.stdout


def test_every_error_comes_at_once_with_its_place_and_a_suggestion(checked_text):
    # Goal: one run shows them all. Method: three mistakes in three lines; file:line:column and the nearest known name.
    done = checked_text(
        "listeners:\n"
        "  - bind: ':443'\n"
        "    forwrd: app\n"
        "    tls: { self_signed: true }\n"
        "upstreams:\n"
        "  app: { address: '127.0.0.1:7766' }\n"
        "shards: several\n"
        "log: { levl: info }\n"
    )
    assert done.returncode == 78
    for place, said in (("given.yaml:3:5", "forward"), ("given.yaml:7:9", "several"), ("given.yaml:8:8", "level")):
        assert any(place in line and said in line for line in done.stderr.splitlines()), (place, done.stderr)


def test_a_broken_yaml_file_names_the_line(checked_text):
    # Goal: a syntax error is a diagnosis too. Method: an unclosed bracket.
    done = checked_text("listeners: [\n")
    assert done.returncode == 78 and "given.yaml:" in done.stderr


def test_variables_are_expanded_in_values(check, tmp_path):
    # Goal: ${VAR} and ${VAR:-default}. Method: --print shows the effective values; an unset one is an error.
    file = tmp_path / "given.yaml"
    file.write_text(
        "listeners: [{ bind: ':${PORT:-8443}', tls: { self_signed: true } }]\n"
        "upstreams: { app: { address: '127.0.0.1:${APP_PORT}' } }\n"
    )
    done = check("--config", file, "--print", APP_PORT="7766")
    assert done.returncode == 0, done.stderr
    effective = yaml.safe_load(done.stdout)
    assert effective["listeners"][0]["bind"] == ":8443"
    assert effective["upstreams"]["app"]["address"] == "127.0.0.1:7766"
    refused = check("--config", file)
    assert refused.returncode == 78 and "APP_PORT" in refused.stderr


def test_flags_override_the_environment_which_overrides_the_file(check, source_dir):
    # Goal: one order of precedence. Method: log.level from each of the three sources.
    def level(*arguments, **environment):
        done = check("--config", source_dir / "config" / "minimal.yaml", "--print", *arguments, **environment)
        return yaml.safe_load(done.stdout)["log"]["level"]

    assert level() == "info"
    assert level(SALLYPORT_LOG_LEVEL="warn") == "warn"
    assert level("--log-level", "debug", SALLYPORT_LOG_LEVEL="warn") == "debug"


def test_the_environment_alone_is_a_configuration(check, pki):
    # Goal: ECS needs no file. Method: SALLYPORT_TO and two PEM texts; then SALLYPORT_CONFIG with YAML.
    pair: Pair = pki.pair()
    pem = {"SALLYPORT_CERT": pair.cert.read_text(), "SALLYPORT_KEY": pair.key.read_text()}
    done = check("--print", SALLYPORT_TO="7766", **pem)
    assert done.returncode == 0, done.stderr
    assert "PRIVATE" not in done.stdout and yaml.safe_load(done.stdout)["listeners"][0]["bind"] == ":443"
    whole = "{ listeners: [{ bind: ':8443', tls: { self_signed: true } }], upstreams: { app: { address: '7766' } } }"
    assert check(SALLYPORT_CONFIG=whole).returncode == 0


def test_a_wrong_flag_is_a_usage_error(check):
    # Goal: exit 64, with the flag named. Method: a flag that is none.
    done = check("--no-such-flag", "1")
    assert done.returncode == 64 and "no-such-flag" in done.stderr


def test_the_annotated_file_has_every_key_with_a_comment(check, source_dir):
    # Goal: one file shows everything. Method: every key name of the schema is in sallyport.yaml, each with a comment on
    # its line or above it.
    def names(schema):
        for name, inside in schema.get("properties", {}).items():
            yield name
            yield from names(inside)
        for part in ("items", "additionalProperties"):
            if isinstance(schema.get(part), dict):
                yield from names(schema[part])
        for alternative in schema.get("oneOf", []) + schema.get("anyOf", []):
            yield from names(alternative)

    lines = (source_dir / "config" / "sallyport.yaml").read_text().splitlines()
    for name in set(names(json.loads(check("--schema").stdout))):
        places = [n for n, line in enumerate(lines) if f"{name}:" in line]
        assert places, f"{name} is missing"
        assert any("#" in line for n in places for line in lines[max(n - 1, 0) : n + 1]), f"{name} has no comment"
