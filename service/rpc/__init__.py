"""The door for gRPC: the Open Inference Protocol V2, health checks and reflection.

Off unless `MNIST_GRPC_BIND` names an address; then each worker listens there, and the
kernel spreads connections over them (SO_REUSEPORT). gRPC's library must see no fork, so a
worker imports it, and the master never does.

A call of ModelInfer waits in the same turn as HTTP's requests: admitted or refused by the
same admission, predicted in one batch with others, counted and logged as they are.

    door        gRPC's server in a worker: opens, listens, takes calls, closes
    call        one call of ModelInfer, as a turn sees it
    dialect     messages to pixels, predictions to messages
    answers     every other method: health and metadata
    status      gRPC's status codes for HTTP's
    messages    the classes of the messages, from `open_inference.proto`
"""
