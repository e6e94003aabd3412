"""The report's words on how its figures were got, and from which versions."""

from bench.peers.items import TOLERANCE
from bench.peers.servers import SERVERS, Server
from bench.peers.tables import Record, present, table, title


def how(record: Record) -> str:
    """Return how the figures were got."""
    formats = "".join(
        f"- {server.title}: {server.json.title}; {server.binary.title}.\n"
        for server in SERVERS
        if server.name in present(record)
    )
    return f"""\
## How

- One model file, `models/mnist/1/model.onnx`, in ONNX Runtime with one thread. All of
  a server's processes on core 0; the generator, {record["machine"]["wrk"]}, on core 1.
  One worker; mosec and LitServe have one for each of their two routes, and one is idle.
- Each as its documentation has it; no access logs, no telemetry, no usage tracking. Of
  mosec's batch sizes, BentoML's batching and LitServe's queues and batching, a few were
  tried in short runs of 1 image, and what gave mosec and BentoML the most requests/s was
  kept (LitServe's made no difference). The others have one setting, and were not tuned.
- Rounds are interleaved: each server is started fresh, warmed up for 2 s, asked all
  items, and ended; then the next.
- Sixteen different bodies in turn, made of the project's own digits. Before each
  measurement all sixteen are asked once: the digits must be those of ONNX Runtime and
  the probabilities within {TOLERANCE:g}, else nothing is reported.
- Binary is answered with binary, the ten probabilities of an image. In JSON the other
  servers answer with these, and the service with digit, confidence and version besides.
- mosec waits for a full batch, 1 ms at least. Its batch is 16 here, as many as there are
  connections, so under the closed loop it is full at once: its best case. Where fewer
  requests than a batch arrive together, as in the open loop, they wait.

Formats, JSON and binary:

{formats}"""


def versions(record: Record) -> str:
    """Return the table of versions."""
    known = [server for server in SERVERS if server.name in present(record)]
    rows = [[title(server.name), _packages(server, record)] for server in known]
    return "## Versions\n\n" + table(["server", "packages"], rows).replace("---:", "---")


def _packages(server: Server, record: Record) -> str:
    found = record["versions"][server.name]
    names = [*server.packages, "onnxruntime", "numpy"]
    return ", ".join(f"{name} {found[name]}" for name in names if name in found)
