"""What was linked into the image: by the linker's maps, and as the SBOM beside it says."""

import hashlib
import json
import re

import pytest

from support.images import DOCUMENTS, PACKAGES
from support.podman import IMAGE, VERSION, podman

EXECUTABLES = ["sallyport", "sallyport-keyholder", "sallyport-worker"]
MEMBER = re.compile(r"/(lib[\w.+-]+\.a)\([\w.+-]+\)")
OPENSSL = {"sallyport": set(), "sallyport-keyholder": {"libcrypto.a"}, "sallyport-worker": {"libcrypto.a", "libssl.a"}}
ID = re.compile(r"SPDXRef-[A-Za-z0-9.-]+")


@pytest.fixture(scope="module")
def archives(files_of):
    """Executable → the archives that objects of which are in it."""
    return {name: set(MEMBER.findall((files_of(DOCUMENTS) / f"{name}.map").read_text())) for name in EXECUTABLES}


@pytest.fixture(scope="module")
def sbom(files_of):
    return json.loads((files_of(DOCUMENTS) / "sallyport.spdx.json").read_text())


@pytest.fixture(scope="module")
def installed():
    """Package → version, in the image that built it."""
    text = podman("run", "--rm", "--network", "none", PACKAGES, "dpkg-query", "-W", "-f", "${Package} ${Version}\n")
    return dict(line.split(" ") for line in text.splitlines())


@pytest.mark.parametrize("name", EXECUTABLES)
def test_of_openssl_each_has_only_what_its_power_needs(archives, name):
    # Goal: no libcrypto object in the gatekeeper, no libssl object in the keyholder. Method: the linker's map.
    assert archives[name] & {"libcrypto.a", "libssl.a"} == OPENSSL[name]
    assert not archives[name] & {"libz.a", "libzstd.a"}  # src/bin/static_libcrypto.cpp
    assert {"libc.a", "libstdc++.a"} <= archives[name]


def test_the_sbom_is_of_these_very_files(files_of, sbom):
    # Goal: it cannot be another build's. Method: checksums, and the code over them that SPDX defines.
    said = {file["fileName"]: {c["algorithm"]: c["checksumValue"] for c in file["checksums"]} for file in sbom["files"]}
    contents = {name: (files_of(IMAGE) / name).read_bytes() for name in EXECUTABLES}
    assert said == {f"./{name}": {"SHA1": hashlib.sha1(content).hexdigest(), "SHA256": hashlib.sha256(content).hexdigest()}
                    for name, content in contents.items()}
    code = hashlib.sha1("".join(sorted(sums["SHA1"] for sums in said.values())).encode()).hexdigest()
    product = next(package for package in sbom["packages"] if package["SPDXID"] == "SPDXRef-Sallyport")
    assert product["packageVerificationCode"] == {"packageVerificationCodeValue": code}
    assert product["versionInfo"] == VERSION


def linked_into(sbom, name):
    ids = {package["SPDXID"]: package["name"] for package in sbom["packages"]}
    return {ids[relation["relatedSpdxElement"]] for relation in sbom["relationships"]
            if (relation["spdxElementId"], relation["relationshipType"]) == (f"SPDXRef-File-{name}", "STATIC_LINK")}


def test_it_names_what_was_linked_in_with_debian_s_versions(sbom, installed, archives):
    # Goal: a scanner finds what it cannot see. Method: the packages of each executable; versions beside dpkg's own; every
    # archive in a map has an owner that is named.
    both = {"libc6-dev", "libstdc++-14-dev", "libgcc-14-dev", "libcap-dev", "libseccomp-dev", "libmd-dev"}
    assert linked_into(sbom, "sallyport") == both | {"libyaml-cpp-dev"}
    assert linked_into(sbom, "sallyport-keyholder") >= both | {"libssl-dev"}
    assert linked_into(sbom, "sallyport-worker") >= both | {"libssl-dev", "libc-ares-dev", "libnghttp2-dev"}
    foreign = [package for package in sbom["packages"] if package["SPDXID"] != "SPDXRef-Sallyport"]
    assert {package["name"] for package in foreign} >= {"libboost1.83-dev", "libspdlog-dev", "libfmt-dev", "libcli11-dev"}
    for package in foreign:
        assert package["versionInfo"] == installed[package["name"]]
        locator = package["externalRefs"][0]["referenceLocator"]
        assert locator.startswith(f"pkg:deb/debian/{package['name'].replace('+', '%2B')}@"), locator
    owned = podman("run", "--rm", "--network", "none", PACKAGES, "dpkg", "-L", *{p["name"] for p in foreign})
    theirs = {archive for archive in set().union(*archives.values()) if not archive.startswith("libsallyport_")}
    assert not {archive for archive in theirs if f"/{archive}\n" not in owned}


# SPDX 2.3 as its specification has it: field → what it must match. No package at hand carries its JSON schema.
DOCUMENT = {
    "spdxVersion": r"SPDX-2\.3", "dataLicense": r"CC0-1\.0", "SPDXID": "SPDXRef-DOCUMENT", "name": r"\S.*",
    "documentNamespace": r"https://[^#\s]+"}
PACKAGE = {
    "SPDXID": ID.pattern, "name": r"\S+", "versionInfo": r"\S+", "downloadLocation": r"NOASSERTION|NONE|https?://\S+",
    "supplier": r"NOASSERTION|(Organization|Person): .+", "licenseConcluded": r"NOASSERTION|NONE|[\w.+-]+",
    "licenseDeclared": r"NOASSERTION|NONE|[\w.+-]+", "copyrightText": r".+"}
FILE = {"SPDXID": ID.pattern, "fileName": r"\./\S+", "licenseConcluded": r"NOASSERTION", "copyrightText": r".+"}
RELATION = {"spdxElementId": ID.pattern, "relatedSpdxElement": ID.pattern,
            "relationshipType": r"DESCRIBES|CONTAINS|STATIC_LINK|DEPENDS_ON"}


def test_it_has_the_form_of_spdx_2_3(sbom):
    # Goal: tools can read it. Method: the mandatory fields and their forms; every id once, every reference to one.
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", sbom["creationInfo"]["created"])
    assert all(re.fullmatch(r"(Tool|Organization|Person): .+", creator) for creator in sbom["creationInfo"]["creators"])
    rows = [(sbom, DOCUMENT), *((package, PACKAGE) for package in sbom["packages"]), *((file, FILE) for file in sbom["files"]),
            *((relation, RELATION) for relation in sbom["relationships"])]
    faults = [(row, field) for row, fields in rows for field, form in fields.items() if not re.fullmatch(form, row[field])]
    assert not faults
    ids = [sbom["SPDXID"], *(element["SPDXID"] for element in sbom["packages"] + sbom["files"])]
    assert len(ids) == len(set(ids))
    ends = {relation[end] for relation in sbom["relationships"] for end in ("spdxElementId", "relatedSpdxElement")}
    assert ends == set(ids)
    assert all(package["filesAnalyzed"] == ("packageVerificationCode" in package) for package in sbom["packages"])


def test_the_weights_add_up(files_of):
    # Goal: what ./run image prints of each library is true. Method: a column's sum beside the size of the file, but for
    # a tenth: the linker packs relocations, and merges strings that the map has several times.
    head, *rows = (files_of(DOCUMENTS) / "weights.txt").read_text().splitlines()
    assert head.split() == ["bytes", *EXECUTABLES]
    table = {row.split()[0]: list(map(int, row.split()[1:])) for row in rows}
    assert table["libcrypto.a"][0] == 0 < table["libcrypto.a"][1]
    for column, name in enumerate(EXECUTABLES):
        total, size = sum(row[column] for row in table.values()), (files_of(IMAGE) / name).stat().st_size
        assert 0.9 * size < total < 1.1 * size, (name, total, size)
