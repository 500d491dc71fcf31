#!/usr/bin/python3
"""What was linked into the three executables: for scanners, which see no library in a static file, and for people.

    docker/sbom.py BUILD IMAGE DOCUMENTS

reads the linker's maps and the compiler's dependencies in BUILD, asks dpkg whose files those are, and writes into
DOCUMENTS sallyport.spdx.json (SPDX 2.3), weights.txt (bytes of each library in each executable) and the maps. REVISION,
VERSION and SOURCE_DATE_EPOCH come by the environment, as docker/Dockerfile has them.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path
from urllib.parse import quote

EXECUTABLES = ("sallyport", "sallyport-keyholder", "sallyport-worker")
OUTPUT_SECTION = re.compile(r"^(\.?\w[\w.-]*)(?:\s|$)")
# " .text  0x…address 0x…size file"; a long name has the rest on the next line
PART = re.compile(r"^ (?:\*fill\*|\S+)?\s+0x[0-9a-f]+\s+(0x[0-9a-f]+)(?: (\S.*))?$")
NOT_IN_THE_FILE = re.compile(r"^\.(bss|tbss|comment|note|debug|stab|gnu\.lto)|^/DISCARD/")


def sizes_in(map_file):
    """Archive or object file → bytes of it in the executable; every one that was linked in is there, if only with 0."""
    text = map_file.read_text(errors="replace").split("\nLinker script and memory map\n")[1]
    sizes, counted = Counter(), False
    for line in text.splitlines():
        if line.startswith("LOAD "):
            continue
        if section := OUTPUT_SECTION.match(line):
            counted = not NOT_IN_THE_FILE.match(section[1])
        elif counted and (part := PART.match(line)) and part[2]:
            sizes[part[2].split("(")[0]] += int(part[1], 16)
    return sizes


def headers_of(build):
    """Every header outside the sources that something was compiled with."""
    text = subprocess.run(["ninja", "-C", build, "-t", "deps"], check=True, capture_output=True, text=True).stdout
    return {str(Path(line.strip()).resolve()) for line in text.splitlines() if line.startswith("    /usr/")}


def owners(paths):
    """Path → Debian package. A path that no package has is ours."""
    done = subprocess.run(["dpkg", "-S", *sorted(paths)], capture_output=True, text=True, check=False)
    found = {}
    for line in done.stdout.splitlines():
        packages, path = line.rsplit(": ", 1)
        found[path] = packages.split(",")[0].split(":")[0]
    return found


def described(names):
    """Package name → its fields, as dpkg has them."""
    fields = ("Package", "Version", "Architecture", "source:Package", "source:Version", "Homepage")
    form = "\t".join(f"${{{field}}}" for field in fields) + "\n"
    text = subprocess.run(["dpkg-query", "-W", "-f", form, *sorted(names)], check=True, capture_output=True, text=True)
    rows = [dict(zip(fields, line.split("\t"))) for line in text.stdout.splitlines()]
    return {row["Package"]: row for row in rows}


def spdx_id(text):
    return "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", text)


def as_package(row):
    purl = (f"pkg:deb/debian/{quote(row['Package'])}@{quote(row['Version'])}?arch={row['Architecture']}"
            f"&upstream={quote(row['source:Package'])}&distro=debian-13")
    return {"SPDXID": spdx_id(f"Package-{row['Package']}"), "name": row["Package"], "versionInfo": row["Version"],
            "supplier": "Organization: Debian", "downloadLocation": "NOASSERTION", "filesAnalyzed": False,
            "sourceInfo": f"built from the source package {row['source:Package']} {row['source:Version']}",
            **({"homepage": row["Homepage"]} if row["Homepage"] else {}),
            "licenseConcluded": "NOASSERTION", "licenseDeclared": "NOASSERTION", "copyrightText": "NOASSERTION",
            "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                              "referenceLocator": purl}]}


def as_file(path):
    content = path.read_bytes()
    sums = [{"algorithm": name, "checksumValue": hashlib.new(name, content).hexdigest()} for name in ("SHA1", "SHA256")]
    return {"SPDXID": spdx_id(f"File-{path.name}"), "fileName": f"./{path.name}", "checksums": sums,
            "fileTypes": ["BINARY"], "licenseConcluded": "NOASSERTION", "copyrightText": "NOASSERTION"}


def product(files):
    sums = sorted(file["checksums"][0]["checksumValue"] for file in files)
    code = hashlib.sha1("".join(sums).encode()).hexdigest()
    return {"SPDXID": "SPDXRef-Sallyport", "name": "sallyport", "versionInfo": os.environ["VERSION"],
            "supplier": "NOASSERTION", "downloadLocation": "NOASSERTION", "filesAnalyzed": True,
            "packageVerificationCode": {"packageVerificationCodeValue": code},
            "primaryPackagePurpose": "CONTAINER", "sourceInfo": f"revision {os.environ['REVISION']}",
            "licenseConcluded": "Apache-2.0", "licenseDeclared": "Apache-2.0",
            "licenseInfoFromFiles": ["NOASSERTION"], "copyrightText": "NOASSERTION"}


def relation(element, kind, related, comment=None):
    return {"spdxElementId": element, "relationshipType": kind, "relatedSpdxElement": related,
            **({"comment": comment} if comment else {})}


def document(image, linked, compiled, packages):
    """linked: executable → packages that the linker took from; compiled: packages that headers were taken from."""
    files = [as_file(image / name) for name in EXECUTABLES]
    top = product(files)
    relations = [relation("SPDXRef-DOCUMENT", "DESCRIBES", top["SPDXID"])]
    relations += [relation(top["SPDXID"], "CONTAINS", file["SPDXID"]) for file in files]
    for name in EXECUTABLES:
        relations += [relation(spdx_id(f"File-{name}"), "STATIC_LINK", spdx_id(f"Package-{package}"))
                      for package in sorted(linked[name])]
    relations += [relation(top["SPDXID"], "DEPENDS_ON", spdx_id(f"Package-{package}"), "compiled in from its headers")
                  for package in sorted(compiled)]
    body = {"packages": [top, *(as_package(packages[name]) for name in sorted(packages))], "files": files,
            "relationships": relations}
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(os.environ["SOURCE_DATE_EPOCH"])))
    return {"spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT",
            "name": f"sallyport-{os.environ['VERSION']}",
            "documentNamespace": f"https://spdx.org/spdxdocs/sallyport-{os.environ['VERSION']}-{digest}",
            "creationInfo": {"created": created, "creators": [f"Tool: docker/sbom.py-{os.environ['VERSION']}"]}, **body}


def weights(sizes, names):
    """The table: one line for each library, the heaviest first. names: path → what to call it."""
    totals = {name: Counter() for name in EXECUTABLES}
    for executable, parts in sizes.items():
        for path, size in parts.items():
            totals[executable][names(path)] += size
    libraries = sorted(set().union(*totals.values()), key=lambda name: -sum(part[name] for part in totals.values()))
    rows = [("bytes", *EXECUTABLES), *((name, *(totals[e][name] for e in EXECUTABLES)) for name in libraries)]
    return "".join(f"{row[0]:<24}" + "".join(f"{value:>22}" for value in row[1:]) + "\n" for row in rows)


def main(build, image, documents):
    documents.mkdir(parents=True)
    sizes = {name: sizes_in(build / "bin" / f"{name}.map") for name in EXECUTABLES}
    files = {path: str((build / path).resolve()) for parts in sizes.values() for path in parts}
    headers = headers_of(build)
    package_of = owners(set(files.values()) | headers)
    linked = defaultdict(set)
    for name in EXECUTABLES:
        linked[name] = {package_of[files[path]] for path in sizes[name] if files[path] in package_of}
    compiled = {package_of[path] for path in headers if path in package_of} - set().union(*linked.values())
    packages = described(set().union(*linked.values(), compiled))
    text = json.dumps(document(image, linked, compiled, packages), indent=2)
    (documents / "sallyport.spdx.json").write_text(text + "\n")
    ours = lambda path: Path(path).name if files[path] in package_of else "(ours)"  # noqa: E731
    (documents / "weights.txt").write_text(weights(sizes, ours))
    for name in EXECUTABLES:
        shutil.copy(build / "bin" / f"{name}.map", documents)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
