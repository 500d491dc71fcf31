"""A package of the npm registry: installed once, without its scripts, beside podman's store."""

import subprocess

from support.podman import CACHE

KUBERNETES_MODELS = ("kubernetes-models", "4.5.1")


def package(name, version):
    """The directory of the installed package."""
    prefix = CACHE / "npm" / f"{name}-{version}"
    directory = prefix / "node_modules" / name
    if not (directory / "package.json").exists():
        prefix.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--prefix", prefix, "--ignore-scripts", "--no-audit", "--no-fund", f"{name}@{version}"]
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, f"{name} cannot be installed:\n{done.stderr}"
    return directory
