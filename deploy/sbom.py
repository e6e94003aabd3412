"""Write an SBOM of an image, in CycloneDX: ``python deploy/sbom.py IMAGE > sbom.json``.

The image lists Debian's packages, Python's with the hashes of the installed files, and the
models; no network is needed. The same image gives the same document. Needs Docker, and the
environment dev.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

# Runs in the image.
INVENTORY = """
import glob, importlib.metadata, json, pathlib, platform, subprocess
debian = ["dpkg-query", "--show", "--showformat=${Package} ${Version} ${Architecture}\\n"]
print(json.dumps({
    "system": platform.freedesktop_os_release(),
    "debian": subprocess.check_output(debian, text=True).split("\\n")[:-1],
    "interpreter": platform.python_version(),
    "python": sorted(
        (it.name, it.version, it.metadata["License-Expression"] or it.metadata["License"])
        for it in importlib.metadata.distributions()),
    "installed": pathlib.Path("/opt/venv/installed.txt").read_text().splitlines(),
    "models": [json.loads(pathlib.Path(path).read_text())
               for path in sorted(glob.glob("/app/models/*/*/manifest.json"))],
}))
"""


def docker(*command: str) -> str:
    """Return the output of a docker command; exit with its last line if it fails."""
    done = subprocess.run(["docker", *command], capture_output=True, text=True)
    if done.returncode:
        why = done.stderr.strip().rpartition("\n")[2]
        sys.exit(f"error: docker {command[0]}: {why!r}, expected an image of the service")
    return done.stdout


def describe(image: str) -> Bom:
    """Return the SBOM of a local image."""
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


def _debian(found: dict) -> Iterator[Component]:
    distro = f"{found['system']['ID']}-{found['system']['VERSION_ID']}"
    for line in found["debian"]:
        name, version, arch = line.split(" ")
        about = {"arch": arch, "distro": distro}
        yield _component("deb", name, version, namespace="debian", qualifiers=about)


def _python(found: dict) -> Iterator[Component]:
    hashes = dict(line.split(" --hash=sha256:") for line in found["installed"])
    yield _component("generic", "python", found["interpreter"])
    for name, version, license in found["python"]:
        component = _component("pypi", name, version)
        sha256 = hashes[f"{name}=={version}"]
        component.hashes.add(HashType(alg=HashAlgorithm.SHA_256, content=sha256))
        if license and len(license) < 100:  # some packages have the whole text there
            component.licenses.add(LicenseFactory().make_from_string(license))
        yield component


def _component(kind: str, name: str, version: str, **about: Any) -> Component:
    purl = PackageURL(kind, name=name.lower().replace("_", "-"), version=version, **about)
    return Component(name=name, version=version, purl=purl, bom_ref=str(purl))


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


if __name__ == "__main__":
    bom = describe(sys.argv[1] if len(sys.argv) > 1 else "mnist-service")
    print(
        make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(
            indent=1
        )
    )
