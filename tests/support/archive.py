"""An image as a file that is the same whenever its content is: podman writes the ids of its build containers into what it
makes in Docker's form, and of those an image's digest is made, too."""

import hashlib
import io
import json
import tarfile

from support.podman import podman

OF_THE_BUILD = ("container", "container_config", "parent")


def write(image, path):
    """The image as docker load and podman load take it, without what is of the build alone."""
    whole = path.with_suffix(".whole")
    whole.unlink(missing_ok=True)
    podman("save", "-o", whole, image)
    with tarfile.open(whole) as old, tarfile.open(path, "w") as new:
        entry, = json.load(old.extractfile("manifest.json"))
        config = json.load(old.extractfile(entry["Config"]))
        text = json.dumps(stripped(config), sort_keys=True).encode()
        layers = [f"{diff.removeprefix('sha256:')}.tar" for diff in config["rootfs"]["diff_ids"]]
        names = {"Config": f"{hashlib.sha256(text).hexdigest()}.json", "RepoTags": entry["RepoTags"], "Layers": layers}
        add(new, names["Config"], text)
        for layer, name in zip(entry["Layers"], layers):
            add(new, name, old.extractfile(layer).read())
        add(new, "manifest.json", json.dumps([names]).encode())
    whole.unlink()


def stripped(config):
    config = {name: value for name, value in config.items() if name not in OF_THE_BUILD}
    config["config"]["Hostname"] = ""
    for step in config["history"]:
        step.pop("comment", None)  # the id of the step before
        step["created"] = config["created"]  # a step may be kept of an earlier revision's build
    return config


def add(tar, name, content):
    header = tarfile.TarInfo(name)
    header.size = len(content)
    tar.addfile(header, io.BytesIO(content))
