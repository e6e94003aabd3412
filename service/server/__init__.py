"""The server: gunicorn's master and a worker of its own on uvloop.

Theory of operation
-------------------

**Processes.** gunicorn's master (`master`) binds, forks, watches, reloads and stops.
Its hooks (`lifecycle`) read the model files and make the shared memory once; workers
inherit both. A reload starts new workers, waits until the roster shows as many ready as
are wanted, and only then stops the old ones; if one cannot serve, the new ones go and the
old ones stay. A stop reports "not ready", waits for `MNIST_DRAIN_SECONDS`, makes the
kernel drop handshakes, and lets the workers answer what has connected.

**A connection** (`connection`) is in one of five states:

    IDLE   → HEAD → BODY → ANSWER → IDLE, or LINGER if it is to end
    IDLE     waits for a request         deadline: keepalive; closed without a word
    HEAD     a head arrives in pieces    deadline: MNIST_CLIENT_SECONDS; 408
    BODY     a body arrives in pieces    deadline: MNIST_CLIENT_SECONDS; 408
    ANSWER   its request was passed on   no deadline
    LINGER   half closed, input dropped  deadline: 2 s; closed

A client has MNIST_CLIENT_SECONDS to read a reply, in any state, also while the worker
stops. What is kept for unfinished clients is bounded for each and for all together
(`pool`). A request that has arrived whole in one read, with a head that was seen before, is
passed on without a copy of anything but its body; all others go through `http1.collector`.

**A turn** (`turns`) begins with the first request that arrives in a turn of the event
loop and ends in the next one, or in the one after if more keeps arriving. In between
requests are admitted or refused at once; the end of the turn answers them: those that run
the model together (predict, count, write all replies, then log and trace), then
`inference.probes` health and metrics, and the WSGI application (`gateway`), loaded with its
first request, all others, with gunicorn's own environ and response. More than 2 MiB of
bodies end a turn early. After 50 ms a turn pauses, so that heartbeat and probes
come in between; what has by then waited past its deadline, in CPU time, is refused.

**Who may refuse what, and when:**

    acceptor    a new client's POST, whole or its side ended, in overload   503, closed
    turns       a whole request that would wait, or has waited, too long    503, kept
    turns       one whose client has gone, only to count it                 499
    turns       one whose client has ended its side, during overload        503, kept
    connection  unfinished requests, when all of them take too much memory  503, closed
    connection  what is no HTTP/1.1, too long, or too slow          400 408 413 414 431
    inference   what comes too late for its client                          504, kept
    inference   everything that depends on the request's meaning
    web         what inference does not see: routes, methods, missing length    404 405 411

The first five are sent by `Turns.refuse` or its siblings, and are counted and logged as
outcomes at the end of the turn, as all replies are. Health checks and metrics are always
admitted, and so is everything once the worker stops.

**A second door** (`service.rpc`, for gRPC) may come with the application. The worker opens
it before it counts as ready, passes its calls to the same turns, and closes it while it
drains: the kernel drops handshakes at its address first, since other workers listen there.

**Twice a second** (`worker`) a sweep tells the master that the worker lives, publishes its
connections and memory on the roster, renews the date, checks whether an overload is over,
and ends connections whose deadline has passed, ten at a time.

**Accepting** (`acceptor`): all workers wait on the same sockets. A worker that has more
connections than another waits 2 ms before it accepts; if many clients wait, each worker
takes its share at once. A full worker still accepts some at the address of the metrics.
"""
