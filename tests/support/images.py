"""The images: Sallyport's two variants, the demo app, and what they are made of. Built by podman, in a store of its own.

    PYTHONPATH=tests python3 -m support.images DIRECTORY            the two variants, and writes them there as files
    PYTHONPATH=tests python3 -m support.images DIRECTORY --tests    the others, too, and what else the container tests need
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from support import archive
from support.compose import fetch_podman_compose
from support.npm import KUBERNETES_MODELS, package
from support.podman import BASE, CACHE, IMAGE, NOCAPS, RELEASE, SOURCE, build, environment, podman

PACKAGES = "localhost/sallyport-packages:test"
DOCUMENTS = "localhost/sallyport-documents:test"
AGAIN = "localhost/sallyport-again:test"
DEMO_APP = "localhost/sallyport-demo-app"
BYTES_MAX = 20_000_000


# What both were built from


def git(*words):
    done = subprocess.run(["git", "-c", f"safe.directory={SOURCE}", "-C", SOURCE, *words], capture_output=True, text=True)
    return done.stdout.strip()


def options_of_this_source():
    """The revision and its time: the same source gives the same image."""
    revision, epoch = git("rev-parse", "--short=12", "HEAD") or "unversioned", git("log", "-1", "--format=%ct") or "0"
    if git("status", "--porcelain"):
        revision += "-changed"
    return ["--timestamp", epoch, "--build-arg", f"REVISION={revision}", "--build-arg", f"SOURCE_DATE_EPOCH={epoch}"]


# The base image


def apt_sources(release):
    """This machine's own sources of Debian packages, for another release: (the first mirror, the text)."""
    texts = [path.read_text() for path in sorted(Path("/etc/apt").glob("sources.list.d/debian*.sources"))]
    if not texts:
        texts = [re.sub(r"^deb(?:-src)?\b.*$", _as_stanza, Path("/etc/apt/sources.list").read_text(), flags=re.M)]
    text = "\n".join(texts)
    here = re.search(r"^VERSION_CODENAME=(\w+)$", Path("/etc/os-release").read_text(), re.M)[1]
    mirror = re.search(r"^URIs: *(\S+)", text, re.M)[1]
    return mirror, re.sub(rf"\b{here}\b", release, text)


def _as_stanza(line):
    kind, *words = re.sub(r"\[.*?\]", "", line[0]).split()
    uri, suite, *components = words
    return f"Types: {kind}\nURIs: {uri}\nSuites: {suite}\nComponents: {' '.join(components)}\n"


def make_base():
    """What docker/Dockerfile begins with, where no registry is at hand: Debian's own bootstrap."""
    mirror, sources = apt_sources(RELEASE)
    with tempfile.TemporaryDirectory(dir=CACHE / "tmp") as directory:
        root = Path(directory)
        command = ["debootstrap", "--variant=minbase", RELEASE, root, mirror]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        (root / "etc/apt/sources.list").write_text("")
        (root / "etc/apt/sources.list.d/debian.sources").write_text(sources)
        shutil.rmtree(root / "var/cache/apt/archives", ignore_errors=True)
        with subprocess.Popen(["tar", "-C", root, "-c", "."], stdout=subprocess.PIPE) as tar:
            podman("import", "-", BASE, stdin=tar.stdout)


# Ours


def build_as_file(path, image, *options):
    """Builds it, writes it there, and keeps what was written: the same from the same source."""
    build(SOURCE, *options, *options_of_this_source(), "-t", image)
    archive.write(image, path)
    podman("load", "-q", "-i", path)


def build_variants(directory):
    """Into the store, and as files for docker load, podman load and scanners."""
    directory.mkdir(parents=True, exist_ok=True)
    if subprocess.run(["podman", "image", "exists", BASE], env=environment(), stderr=subprocess.DEVNULL).returncode:
        print("containers: making the base image", flush=True)
        make_base()
    print("containers: building the image", flush=True)
    dockerfile = ["-f", SOURCE / "docker" / "Dockerfile"]
    for target, name in (("packages", PACKAGES), ("documents", DOCUMENTS)):  # named, so that pruning leaves them
        build(SOURCE, *dockerfile, *options_of_this_source(), "--target", target, "-t", name)
    build_as_file(directory / "sallyport.tar", IMAGE, *dockerfile)
    build_as_file(directory / "sallyport-nocaps.tar", NOCAPS, *dockerfile, "--target", "nocaps")
    copy_documents(directory)
    for image in (IMAGE, NOCAPS):
        print(f"containers: {image} is {size_of(image) / 1e6:.1f} MB", flush=True)


def build_again():
    """The same once more, without a layer of the first build's but the one of Debian's packages: for its digest."""
    print("containers: building the image again", flush=True)
    text = (SOURCE / "docker" / "Dockerfile").read_text()
    with tempfile.TemporaryDirectory(dir=CACHE / "tmp") as directory:
        dockerfile = Path(directory) / "Dockerfile"
        dockerfile.write_text(re.sub(r"(?sm)^FROM debian.*?^FROM packages AS build", f"FROM {PACKAGES} AS build", text))
        build_as_file(Path(directory) / "again.tar", AGAIN, "-f", dockerfile, "--no-cache")


def build_demo_app():
    """Debian's FastAPI and uvicorn: made once, as the base image is, for podman keeps its layers."""
    print("containers: building the demo app", flush=True)
    build(SOURCE / "docker" / "example", "-t", DEMO_APP)


def size_of(image):
    """Bytes of the files in it, which no compression changes."""
    return int(podman("image", "inspect", "--format", "{{.Size}}", image))


def copy_documents(directory):
    documents = Path(podman("image", "mount", DOCUMENTS))
    for document in documents.iterdir():
        shutil.copy(document, directory)
    podman("image", "unmount", DOCUMENTS)
    print((directory / "weights.txt").read_text(), end="")
    print("run: wrote", *sorted(str(path) for path in directory.iterdir()))


if __name__ == "__main__":
    build_variants(Path(sys.argv[1]))
    if "--tests" in sys.argv:
        build_again()
        build_demo_app()
        package(*KUBERNETES_MODELS)
        fetch_podman_compose(PACKAGES)
    podman("image", "prune", "-f")
