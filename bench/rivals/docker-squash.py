"""docker-squash without a daemon: docker-squash.py SOURCE.tar RESULT.tar [LAYERS]

Runs docker-squash's own squash over an archive as `docker save` writes it, with this in the place of the daemon's client.
LAYERS counts layers from the top; docker-squash counts lines of the history, which is translated here.
"""

import json
import logging
import os
import sys
import tarfile

from docker_squash.squash import Squash


class Archive:
    """What docker-squash asks of a daemon, answered out of an archive."""

    def __init__(self, path):
        self.path = path
        with tarfile.open(path) as tar:
            manifest = json.load(tar.extractfile("manifest.json"))[0]
            self.config = json.load(tar.extractfile(manifest["Config"]))
        self.id = "sha256:" + os.path.basename(manifest["Config"]).replace(".json", "")

    def version(self):
        return {"Version": "none", "ApiVersion": "1.41"}

    def inspect_image(self, _):
        return {"Id": self.id}

    def history(self, _):
        return [{"Id": self.id}] + [{"Id": "<missing>"}] * (len(self.config["history"]) - 1)

    def get_image(self, _):
        with open(self.path, "rb") as file:
            while chunk := file.read(1 << 21):
                yield chunk

    def lines(self, layers):
        """How many lines of the history the topmost so many layers take."""
        for count, line in enumerate(reversed(self.config["history"]), 1):
            layers -= not line.get("empty_layer", False)
            if layers == 0:
                return count
        raise SystemExit("the image has fewer layers")


source, result = sys.argv[1:3]
archive = Archive(source)
count = archive.lines(int(sys.argv[3])) if len(sys.argv) > 3 else None
logging.basicConfig(level=logging.ERROR)
Squash(
    logging.getLogger(),
    source,
    docker=archive,
    from_layer=count,
    tag="squashed:v1",
    output_path=result,
    load_image=False,
).run()
