#!/bin/sh
# Replace every replica by a new container of the image as it is now, one after the other: each new
# one is healthy before an old one is asked to stop, which drains it. No request is lost.
#
#   deploy/roll.sh          COMPOSE='docker compose' or docker-compose, and their own variables
set -eu
cd "$(dirname "$0")/.."
if [ -z "${COMPOSE:-}" ]; then
  COMPOSE=docker-compose
  ! docker compose version >/dev/null 2>&1 || COMPOSE='docker compose'
fi

replicas() { $COMPOSE --profile scale ps --quiet replica; }

wait_until_healthy() {
  for _ in $(seq 60); do
    states=$(docker inspect --format '{{.State.Health.Status}}' $(replicas) | sort -u)
    [ "$states" = healthy ] && return
    sleep 1
  done
  return 1
}

# Take away what has been started since there were these; say why.
give_up() {
  for id in $(replicas); do
    case "$*" in *"$id"*) continue ;; esac
    docker logs --tail 5 "$id" >&2
    docker rm --force "$id"
  done
  echo "a new replica is not healthy after 60 s, expected it to be: the others go on" >&2
  exit 1
}

old=$(replicas)
count=$(echo $old | wc -w)
if [ "$count" -eq 0 ]; then
  echo "found no replicas, expected some: $COMPOSE --profile scale up --detach proxy" >&2
  exit 1
fi
for id in $old; do
  before=$(replicas)
  $COMPOSE --profile scale up --detach --no-deps --no-recreate --scale replica=$((count + 1)) replica
  wait_until_healthy || give_up "$before"
  docker stop "$id" # within stop_grace_period
  docker rm "$id"
done >/dev/null
echo "$count replicas replaced"
