"""New configurations for a running Sallyport, and what becomes of them."""

import copy
import os
import signal

import yaml


def write(sallyport, config):
    """As an editor does it: the file is there, old or new, at every moment."""
    new = sallyport.config_file.with_suffix(".new")
    new.write_text(config if isinstance(config, str) else yaml.safe_dump(config, sort_keys=False))
    os.replace(new, sallyport.config_file)


def reload(sallyport, config, count=1):
    """A new configuration, in force for the `count`-th time."""
    write(sallyport, config)
    sallyport.signal(signal.SIGHUP)
    return sallyport.log.wait_for(event="configuration reloaded", count=count, seconds=20)


def reload_fails(sallyport, config, count=1):
    """The reason why this one does not come into force."""
    write(sallyport, config)
    sallyport.signal(signal.SIGHUP)
    return sallyport.log.wait_for(event="configuration not reloaded", count=count, seconds=20)["reason"]


def is_alone(sallyport):
    """Only the newest generation lives."""
    return len([c for c in sallyport.gatekeeper().children() if c.is_alive()]) == 2


def has_let_go(old, new):
    """Whether a worker listens on nothing any more on which the one that has replaced it does."""
    sockets = {what for what in old.descriptors().values() if what.startswith("socket:")}
    return not sockets & set(new.descriptors().values())


def with_port(config, port):
    changed = copy.deepcopy(config)
    changed["listeners"].append({**changed["listeners"][0], "bind": f"127.0.0.1:{port}"})
    return changed


def to(config, app):
    changed = copy.deepcopy(config)
    changed["upstreams"]["app"]["address"] = app.address
    return changed
