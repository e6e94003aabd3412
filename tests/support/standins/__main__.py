"""Have the images that the compose file names: ``python -m tests.support.standins``."""

from tests.support import standins

for name in standins.NAMES:
    print(f"{standins.tag(name)}: {standins.provide(name) or 'not there, and no stand-in'}")
