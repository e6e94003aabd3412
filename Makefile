# Every target works on a fresh clone with make and Python 3.11 to 3.13, and nothing else.
.DEFAULT_GOAL := help
.PHONY: help environments serve load load-page train up down roll test lint bench lock audit clean

# The first Python that the pinned packages have wheels for.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	2>/dev/null && echo $$p && break; done)
PORT ?= 8000
HOST ?= http://127.0.0.1:$(PORT)
SCENARIO ?= steady
RECIPE ?= lesson
COMPOSE ?= $(shell docker compose version >/dev/null 2>&1 && echo docker compose || echo docker-compose)
# An environment of another Python is made anew.
READY := installed-$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)

help:  ## show this list
	@sed -nE 's/^#: (.*)/\n\1/p; s/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 19

# One environment per job, so that the service never has TensorFlow beside it.
.venv/%/$(READY): requirements/%.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null || { \
		echo "found $(or $(PYTHON),no Python), expected Python 3.11 to 3.13; name one with PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "found no module venv in $(PYTHON), expected it: on Debian, apt-get install python3-venv" >&2; exit 1; }
	@echo "installing the packages of requirements/$*.txt into .venv/$*, once"
	@$(PYTHON) -m venv --clear .venv/$*
	@.venv/$*/bin/python -m pip install --quiet --disable-pip-version-check -r $< || { \
		echo "the packages are not installed; is a package index within reach?" >&2; exit 1; }
	@touch $@

#: Use it
serve: .venv/service/$(READY)  ## serve on http://127.0.0.1:8000 (PORT=)
	@PORT=$(PORT) exec .venv/service/bin/python -m service

load: .venv/load/$(READY)  ## load a running service (SCENARIO= HOST= ARGS='--rate 500 --limit "p99<10ms"')
	@LOAD_OUTPUT=load/reports .venv/load/bin/python -m load $(SCENARIO) --host $(HOST) $(ARGS)

load-page: .venv/load/$(READY)  ## the same from Locust's own page, http://127.0.0.1:8089
	@.venv/load/bin/python -m locust -f load/locustfile.py --host $(HOST) --web-host 127.0.0.1 $(ARGS)

#: Train it
train: .venv/dev/$(READY)  ## fit, export, evaluate and report, into runs/ (RECIPE=best: distillation from two CNNs; ARGS='--name mine --epochs 5')
	@.venv/dev/bin/python -m training run --recipe $(RECIPE) $(ARGS)

#: Deploy it (needs Docker)
up:  ## build and start with docker compose, and wait until it is healthy
	@$(COMPOSE) version >/dev/null 2>&1 || { echo "found no docker compose, expected it: install Docker" >&2; exit 1; }
	$(COMPOSE) up --build --detach
	@for i in $$(seq 60); do \
		state=$$(docker inspect --format '{{.State.Health.Status}}' $$($(COMPOSE) ps -q service)); \
		[ "$$state" = healthy ] && echo healthy && exit 0; sleep 1; \
	done; $(COMPOSE) logs --tail 20 service; \
	echo "service is $$state after 60 s, expected healthy" >&2; exit 1

down:  ## stop what `make up` started, and every profile
	$(COMPOSE) --profile load --profile train --profile scale --profile observability down --remove-orphans

roll:  ## replace the replicas behind the proxy one by one, by a new image, without a lost request
	$(COMPOSE) --profile scale build replica
	COMPOSE="$(COMPOSE)" deploy/roll.sh

#: Develop it
environments: .venv/dev/$(READY) .venv/service/$(READY) .venv/load/$(READY) .venv/clients/$(READY) .venv/perf_analyzer/$(READY) .venv/tracing/$(READY) .venv/grpc/$(READY)

# Most tests wait for servers, so more processes than cores; slow files first, so that the
# processes end at about the same time.
test: environments  ## run every test (the first time it installs 4 GB; ARGS=tests/service for a part)
	.venv/dev/bin/python -m pytest --numprocesses 6 --dist loadfile --no-loadscope-reorder $(ARGS)

lint: .venv/dev/$(READY)  ## ruff and mypy
	.venv/dev/bin/ruff check
	.venv/dev/bin/ruff format --check
	.venv/dev/bin/mypy

bench: .venv/dev/$(READY) .venv/service/$(READY) .venv/tracing/$(READY) .venv/grpc/$(READY)  ## measure the service (WHAT=peers|layers|overload|rpc-overload|slow|overhead|soak|chaos|drills|latency|fuzz|pictures|rpc ARGS=--help)
	.venv/dev/bin/python -m bench $(or $(WHAT),--help) $(ARGS)

# Hashes for what users run; plain pins for programs that only tests and the comparison start.
lock: .venv/dev/$(READY)  ## pin the newest packages that fit together
	cd requirements && for job in dev service tracing grpc training load clients perf_analyzer; do \
		options=--generate-hashes; case $$job in \
			service|tracing|grpc|training) options="--generate-hashes -c dev.txt";; \
			clients|perf_analyzer) options=--no-annotate;; esac; \
		../.venv/dev/bin/uv pip compile --quiet --universal --python-version 3.11 \
			--fork-strategy fewest --no-header --upgrade $$options $$job.in -o $$job.txt || exit 1; \
	done
	cd bench/peers && for peer in */requirements.in; do \
		../../.venv/dev/bin/uv pip compile --quiet --universal --python-version 3.11 \
			--fork-strategy fewest --no-header --no-annotate --upgrade $$peer -o $${peer%.in}.txt || exit 1; \
	done

# Strict: a package that the service of vulnerabilities does not know is a failure, and no pass.
audit: .venv/dev/$(READY)  ## look up known vulnerabilities of every pinned package, on the network
	.venv/dev/bin/pip-audit --strict --disable-pip --no-deps $(addprefix -r ,$(wildcard requirements/*.txt))

clean:  ## remove the environments and caches
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis
