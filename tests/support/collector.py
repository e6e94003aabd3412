"""A trace collector for tests: OTLP over HTTP in, one line of JSON per span out.

Run it with a Python that has OpenTelemetry's protocol classes. The first line of output is
its port.
"""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as protocol


def plain(attributes):
    return {one.key: next(iter(MessageToDict(one.value).values())) for one in attributes}


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        request = protocol.ExportTraceServiceRequest.FromString(body)
        lines = []
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    known = MessageToDict(span)
                    known |= {
                        "path": self.path,
                        "resource": plain(resource.resource.attributes),
                        "attributes": plain(span.attributes),
                        "traceId": span.trace_id.hex(),
                        "spanId": span.span_id.hex(),
                        "parentSpanId": span.parent_span_id.hex(),
                    }
                    lines.append(json.dumps(known))
        # In one piece: each connection has its own thread.
        print("".join(f"{line}\n" for line in lines), end="", flush=True)
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.end_headers()
        self.wfile.write(protocol.ExportTraceServiceResponse().SerializeToString())

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        print(server.server_port, flush=True)
        server.serve_forever()
