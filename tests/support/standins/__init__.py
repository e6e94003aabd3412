"""Stand-ins for images, where the real ones are not there and no registry is reached.

Made of Debian's packages, under the tags that docker-compose.yml names: with the paths, the
user and the command of the real ones as far as that file relies on them.
"""

import re
from pathlib import Path

from tests.support.engine import BUILD_S, call, expect_success

FOLDER = Path(__file__).resolve().parent
COMPOSE = FOLDER.parents[2] / "docker-compose.yml"
PULL_S = 300
NAMES = {
    "haproxy": "haproxy",
    "prometheus": "prom/prometheus",
    "grafana": "grafana/grafana",
}


def tag(name: str) -> str:
    """Return the image that the compose file names, such as ``haproxy:3.2.26``."""
    return re.search(rf"image: ({NAMES[name]}:\S+)", COMPOSE.read_text())[1]


def provide(name: str) -> str | None:
    """Have an image: the one that is there, the real one, or its stand-in.

    Returns:
        "the image" or "a stand-in"; None where there is neither.
    """
    image = tag(name)
    inspect = ["docker", "image", "inspect", "--format", "{{json .Config.Labels}}", image]
    if call(inspect).returncode and call(["docker", "pull", image], PULL_S).returncode:
        if not (FOLDER / name).is_dir():
            return None
        build = ["docker", "build", "--tag", image, str(FOLDER / name)]
        expect_success(call(build, BUILD_S))
    return "a stand-in" if "stand-in" in expect_success(call(inspect)) else "the image"
