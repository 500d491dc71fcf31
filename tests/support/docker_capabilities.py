#!/usr/bin/python3 -IS
"""runc, but with the capability sets that Docker (25 and later) and containerd give to whatever user: bounding,
permitted and effective alike, ambient none. Podman gives a user that is not root what --cap-add names, as ambient."""

import json
import os
import sys

words = sys.argv[1:]
if "create" in words:
    path = words[words.index("--bundle") + 1] + "/config.json"
    with open(path) as file:
        config = json.load(file)
    granted = config["process"]["capabilities"].get("bounding", [])
    config["process"]["capabilities"] = {name: granted for name in ("bounding", "permitted", "effective")}
    with open(path, "w") as file:
        json.dump(config, file)
os.execvp("runc", ["runc", *words])
