# Every target works on a fresh clone with Python 3.11 to 3.13 and make, and nothing else.
.DEFAULT_GOAL := help
.PHONY: help serve test fuzz fuzz-http fuzz-costs chaos soak overload overhead bench profile slow lint train evaluate report baselines int8 lesson load load-page \
	up down roll drills sbom digits screenshots picture latency lock audit clean

# The first Python that the pinned packages have wheels for.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	2>/dev/null && echo $$p && break; done)
PORT ?= 8000
HOST ?= http://127.0.0.1:$(PORT)
SCENARIO ?= steady
SECONDS ?= 30
IMAGE ?= mnist-service
REQUESTS ?= 100000
MINUTES ?= 30
RECIPE ?= lesson
VERSION ?= $(if $(filter best,$(RECIPE)),2,1)
COMPOSE ?= $(shell docker compose version >/dev/null 2>&1 && echo docker compose || echo docker-compose)

help:  ## show this list
	@sed -nE 's/^([a-z0-9-]+):.*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 12

# One environment a job, so that the service never has TensorFlow beside it.
.venv/%/installed: requirements/%.txt
	@test -n "$(PYTHON)" || { echo "found no Python 3.11 to 3.13; name one with PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "found no module venv in $(PYTHON), expected it: on Debian, apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv --clear .venv/$*
	.venv/$*/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

serve: .venv/service/installed  ## serve on http://127.0.0.1:8000 (PORT=...)
	@PORT=$(PORT) .venv/service/bin/python -m service

# In the order of the folders: by default the files with few tests come last, which are the longest.
test: .venv/dev/installed .venv/service/installed .venv/load/installed \
		.venv/clients/installed .venv/perf_analyzer/installed \
		.venv/tracing/installed .venv/sbom/installed  ## run every test
	.venv/dev/bin/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder $(ARGS)

fuzz: .venv/fuzz/installed  ## fuzz every decoder (SECONDS=)
	.venv/fuzz/bin/python bench/fuzz/decoders.py -max_total_time=$(SECONDS) -max_len=4000

fuzz-http: .venv/dev/installed .venv/service/installed  ## fuzz the running service over HTTP (REQUESTS=)
	.venv/dev/bin/python -m bench.fuzz.http --requests $(REQUESTS) $(ARGS)

fuzz-costs: .venv/dev/installed  ## bound what decoding any request costs, and a table (SECONDS=)
	.venv/dev/bin/python -m bench.fuzz.costs --seconds $(SECONDS) $(ARGS)

chaos: .venv/dev/installed .venv/service/installed  ## faults on purpose, and a table (ARGS='--only PATTERN --rounds 2')
	.venv/dev/bin/python -m bench.chaos $(ARGS)

soak: .venv/dev/installed .venv/service/installed  ## load with faults at 70 % of capacity (MINUTES= ARGS='--workers 2')
	.venv/dev/bin/python -m bench.soak --minutes $(MINUTES) $(ARGS)

lint: .venv/dev/installed  ## ruff and mypy
	.venv/dev/bin/ruff check
	.venv/dev/bin/ruff format --check
	.venv/dev/bin/mypy

train: .venv/dev/installed  ## fit anew, export, evaluate, report: version 1, or with RECIPE=best version 2
	.venv/dev/bin/python -m training fit --recipe $(RECIPE)
	.venv/dev/bin/python -m training export --recipe $(RECIPE) --version $(VERSION) --force
	.venv/dev/bin/python -m training evaluate --version $(VERSION)
	.venv/dev/bin/python -m training report --version $(VERSION)
	.venv/dev/bin/python -m training lesson

evaluate: .venv/dev/installed  ## evaluate a version on the test set (VERSION=)
	.venv/dev/bin/python -m training evaluate --version $(VERSION)

report: .venv/dev/installed  ## write a version's report beside it (VERSION=)
	.venv/dev/bin/python -m training report --version $(VERSION)

baselines: .venv/dev/installed  ## compare the network with traditional machine learning, in 20 minutes
	.venv/dev/bin/python -m training baselines $(ARGS)

int8: .venv/dev/installed  ## measure whether int8 earns shipping, every version (ARGS='--version 2')
	.venv/dev/bin/python -m training int8 $(ARGS)

lesson: .venv/dev/installed  ## write the measured data of the lesson's page, models/mnist/lesson.json
	.venv/dev/bin/python -m training lesson

load: .venv/load/installed  ## load a running service (SCENARIO= HOST= ARGS='--rate 500 --limit "p99<10ms"')
	LOAD_OUTPUT=load/reports .venv/load/bin/python -m load $(SCENARIO) --host $(HOST) $(ARGS)

load-page: .venv/load/installed  ## the same from Locust's own page, http://127.0.0.1:8089
	.venv/load/bin/locust -f load/locustfile.py --host $(HOST) --web-host 127.0.0.1 $(ARGS)

up:  ## build and start with docker compose, and wait until it is healthy
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

drills: .venv/dev/installed  ## the containers under load, restarted, killed, swapped, and a table (ARGS='--only PATTERN')
	.venv/dev/bin/python -m bench.drills $(ARGS)

sbom: .venv/sbom/installed  ## what is in the image, in CycloneDX: sbom.json (IMAGE=)
	.venv/sbom/bin/python deploy/sbom.py $(IMAGE) > sbom.json || { rm sbom.json; exit 1; }

digits: .venv/service/installed  ## render service/model/digits.json for the load test
	.venv/service/bin/python -m service.model.digits > load/digits.json

bench: .venv/bench/installed .venv/service/installed  ## compare with other model servers (needs wrk)
	.venv/bench/bin/python -m bench.peers $(ARGS)

profile: .venv/bench/installed .venv/service/installed  ## where the microseconds go, layer by layer (needs wrk)
	.venv/bench/bin/python -m bench.layers $(ARGS)

overload: .venv/bench/installed .venv/service/installed  ## more requests than it can answer (needs wrk)
	.venv/bench/bin/python -m bench.overload $(ARGS)

overhead: .venv/bench/installed .venv/service/installed .venv/tracing/installed  ## what metrics, logs and tracing cost (needs wrk)
	.venv/bench/bin/python -m bench.overhead $(ARGS)


slow: .venv/bench/installed .venv/service/installed  ## latency beside thousands of slow clients (needs wrk)
	.venv/bench/bin/python -m bench.slow $(ARGS)

screenshots: .venv/dev/installed .venv/service/installed  ## pictures of the pages (ARGS='--output FOLDER')
	.venv/dev/bin/python -m bench.pages.screenshots $(ARGS)

picture: .venv/dev/installed .venv/service/installed  ## film the page while a digit is drawn (ARGS='--output FILE')
	.venv/dev/bin/python -m bench.pages.picture $(ARGS)

latency: .venv/dev/installed .venv/service/installed  ## from a stroke to its painted answer, in the browser
	.venv/dev/bin/python -m bench.pages.latency $(ARGS)

lock: .venv/dev/installed  ## pin the newest versions that fit together, with hashes
	cd requirements && for job in dev service tracing training load clients perf_analyzer fuzz bench audit sbom; do \
		constraint=; case $$job in service|tracing|training|fuzz|bench) constraint="-c dev.txt";; esac; \
		../.venv/dev/bin/uv pip compile --quiet --universal --python-version 3.11 \
			--fork-strategy fewest --generate-hashes --no-header --upgrade \
			$$constraint $$job.in -o $$job.txt || exit 1; \
	done
	for folder in bench/peers/*/requirements.in; do (cd $$(dirname $$folder) && \
		$(CURDIR)/.venv/dev/bin/uv pip compile --quiet --universal --python-version 3.11 \
			--fork-strategy fewest --generate-hashes --no-header --upgrade \
			requirements.in -o requirements.txt) || exit 1; \
	done

# Strict: a package that the service of vulnerabilities does not know is a failure, and no pass.
audit: .venv/audit/installed  ## look up known vulnerabilities of every pinned package, on the network
	.venv/audit/bin/pip-audit --strict --disable-pip --require-hashes \
		$(addprefix -r ,$(wildcard requirements/*.txt))

clean:  ## remove the environments and caches
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis
