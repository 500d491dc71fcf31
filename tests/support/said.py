"""Everything that Sallyport writes during the session, and whether a secret is in it."""

import subprocess

from support.keyparts import secret_forms
from support.pki import PASSPHRASE

_texts = []  # functions that give what was written: a log may still be growing


def remember(text_of):
    """`text_of()` is part of what is looked through at the end."""
    _texts.append(text_of)


def listen_to_commands():
    """From now on the output of every Sallyport that is started by subprocess.run is remembered."""
    run = subprocess.run

    def run_and_remember(command, *arguments, **options):
        done = run(command, *arguments, **options)
        if any(str(word).endswith("/sallyport") for word in command):
            for output in (done.stdout, done.stderr):
                text = output.decode(errors="replace") if isinstance(output, bytes) else output or ""
                remember(lambda text=text: text)
        return done

    subprocess.run = run_and_remember


def secrets_of(pki):
    """Name → text, of every key and passphrase of the tests: what no log, no error and no report may hold."""
    secrets = {"passphrase": PASSPHRASE}
    for pair in pki.pairs:
        forms = secret_forms(pair.clear_key_pem())
        lines = [line for line in pair.key.read_text().splitlines() if not line.startswith("-----")]
        secrets[f"{pair.key}, as it is"] = lines[len(lines) // 2]
        secrets[f"{pair.key}, in clear"] = forms.text["PEM"].decode()
        secrets |= {f"{pair.key}, {name}": value.hex() for name, value in forms.live.items()}
    return secrets


def told(secrets, texts=None):
    """The names of those that were written somewhere."""
    everything = "\n".join(text() for text in _texts) if texts is None else "\n".join(texts)
    everything_in_lower_case = everything.lower()
    return {name for name, secret in secrets.items() if secret in everything or secret in everything_in_lower_case}
