"""What is in an image, in CycloneDX: ``python deploy/sbom.py IMAGE > sbom.json``.

The image is asked itself, without a network: for Debian's packages, for Python's with the
hashes of the files that they were installed from, for the models. One image, one result.
"""

import json
import subprocess
import sys
from datetime import datetime
from uuid import NAMESPACE_OID, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

VERSION = SchemaVersion.V1_6
# Runs in the image.
INVENTORY = """
import glob, importlib.metadata, json, pathlib, platform, subprocess, sys

def python(path):
    for each in importlib.metadata.distributions(path=path):
        license = each.metadata.get("License-Expression") or each.metadata.get("License")
        yield each.name, each.version, license or ""

debian = ["dpkg-query", "--show", "--showformat=${Package} ${Version} ${Architecture}\\n"]
print(json.dumps({
    "system": platform.freedesktop_os_release(),
    "debian": subprocess.check_output(debian, text=True).split("\\n")[:-1],
    "interpreter": platform.python_version(),
    "base": sorted(python(glob.glob("/usr/local/lib/python3*/site-packages"))),
    "python": sorted(python(sys.path)),
    "installed": pathlib.Path("/opt/venv/installed.txt").read_text().splitlines(),
    "models": [json.loads(pathlib.Path(path).read_text())
               for path in sorted(glob.glob("/app/models/*/*/manifest.json"))],
}))
"""


def docker(*command: str) -> str:
    """Run a command of Docker's; return what it prints."""
    return subprocess.run(
        ["docker", *command], check=True, capture_output=True, text=True
    ).stdout


def describe(image: str) -> Bom:
    """Return the document of an image, which must be here."""
    (about,) = json.loads(docker("image", "inspect", image))
    run = ("run", "--rm", "--network=none", "--entrypoint=python", image, "-c", INVENTORY)
    found = json.loads(docker(*run))
    components = [*_debian(found), *_python(found), *map(_model, found["models"])]
    labels = about["Config"]["Labels"] or {}
    subject = Component(
        name=image,
        type=ComponentType.CONTAINER,
        version=labels.get("org.opencontainers.image.version"),
        bom_ref=about["Id"],
    )
    bom = Bom(
        components=components,
        serial_number=uuid5(NAMESPACE_OID, about["Id"]),
        metadata=BomMetaData(
            component=subject,
            timestamp=datetime.fromisoformat(about["Created"][:19] + "+00:00"),
        ),
    )
    bom.register_dependency(subject, components)
    return bom


def _debian(found: dict) -> list[Component]:
    distro = f"{found['system']['ID']}-{found['system']['VERSION_ID']}"
    packages = (line.split(" ") for line in found["debian"])
    return [
        _component(
            name,
            version,
            PackageURL("deb", "debian", name, version, {"arch": arch, "distro": distro}),
        )
        for name, version, arch in packages
    ]


def _python(found: dict) -> list[Component]:
    """Return the packages and the interpreter, Debian's or the base image's own."""
    hashes = dict(line.split(" --hash=sha256:") for line in found["installed"])
    result = []
    for name, version, license in found["python"] + found["base"]:
        purl = PackageURL("pypi", None, name.lower().replace("_", "-"), version)
        result.append(
            _component(name, version, purl, hashes.get(f"{name}=={version}"), license)
        )
    version = found["interpreter"]
    return [
        *result,
        _component("python", version, PackageURL("generic", None, "python", version)),
    ]


def _component(
    name: str, version: str, purl: PackageURL, sha256: str | None = None, license: str = ""
) -> Component:
    known = 0 < len(license) < 100  # some packages have the whole text there
    return Component(
        name=name,
        version=version,
        purl=purl,
        bom_ref=str(purl),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=sha256)] if sha256 else [],
        licenses=[LicenseFactory().make_from_string(license)] if known else [],
    )


def _model(manifest: dict) -> Component:
    name, version = manifest["name"], str(manifest["version"])
    return Component(
        name=name,
        version=version,
        type=ComponentType.MACHINE_LEARNING_MODEL,
        bom_ref=f"model/{name}/{version}",
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=manifest["sha256"])],
        licenses=[LicenseFactory().make_from_string("Apache-2.0")],
    )


def main() -> int:
    """Print the document of an image; return 1 if it is not as the schema says."""
    bom = describe(sys.argv[1] if len(sys.argv) > 1 else "mnist-service")
    text = make_outputter(bom, OutputFormat.JSON, VERSION).output_as_string(indent=1)
    error = JsonStrictValidator(VERSION).validate_str(text)
    if error:
        print(
            f"error: the document is not CycloneDX {VERSION.to_version()}: {error}",
            file=sys.stderr,
        )
        return 1
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
