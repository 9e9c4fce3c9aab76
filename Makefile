# `make help` lists the targets. Everything a target needs beside Rust and Python is installed under .local on demand.

PYTHON ?= python3
STACK  ?= molecule
# What the functions run on: as the last `make deploy` has noted it, or arm64, which costs less.
ARCH   ?= $(or $(shell sed -n 's/.*Architecture=[\\"]*\([a-z0-9_]*\).*/\1/p' samconfig.toml 2>/dev/null),arm64)

LOCAL  := .local
CHROMIUM ?= /usr/bin/chromium
TOOLS  := $(LOCAL)/venv-sam/bin
SAM    := env SAM_CLI_TELEMETRY=0 $(TOOLS)/sam
EMULATOR_PYTHON := $(LOCAL)/venv/bin/python

# The template is the one list of domains: each is a crate, a binary and a folder target/lambda/<domain>/.
DOMAINS := $(shell sed -n 's|.*CodeUri: *target/lambda/\([a-z_-]*\)/.*|\1|p' template.yaml | sort -u)

# Each target is a file.
FUZZ_TARGETS := $(basename $(notdir $(wildcard tests/fuzz/fuzz_targets/*.rs)))

# Where the local stack and `sam build` look for binaries, whatever the user has set for other projects.
export CARGO_TARGET_DIR := $(CURDIR)/target

# The newest C library that Lambda's Amazon Linux 2023 has.
GLIBC := GLIBC_2.34

.DEFAULT_GOAL := help
.PHONY: help dev redeploy logs test test-unit test-e2e test-console openapi test-openapi security security-e2e load grants fuzz deny soak soak-fleet bench bench-baseline cost lint validate build deploy deploy-now deploy-local-sam clean-local

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

dev: $(LOCAL)/venv/.made ## The whole platform here, two agents, a first conversation (ONCE=1: then stop; STRICT=1: closed)
	$(EMULATOR_PYTHON) infra/local/dev.py

redeploy: $(LOCAL)/venv/.made ## Bring the stack of a running `make dev` to the code as it is now
	cargo build --workspace --bins
	$(EMULATOR_PYTHON) infra/local/deploy.py --aws-port $${LOCAL_AWS_PORT:-4566}

logs: $(LOCAL)/venv/.made ## What the functions of a running `make dev` wrote
	@$(EMULATOR_PYTHON) infra/local/logs.py --aws-port $${LOCAL_AWS_PORT:-4566}

test: test-unit test-e2e test-console ## Every test, the end-to-end ones against stacks of their own
	$(MAKE) test-openapi EXAMPLES=1

test-unit: ## The tests that need no stack, seeds of both simulations among them
	cargo test --workspace --lib --bins --test agent --test boot

# `--workspace --test it`, not `-p e2e`: alone, the package would have its dependencies compiled with other features.
test-e2e: $(LOCAL)/venv/.made ## The deployed system from outside, with IAM enforced
	$(EMULATOR_PYTHON) -m doctest infra/local/secrecy.py infra/deployed.py
	$(EMULATOR_PYTHON) infra/local/test.py cargo test --workspace --test it

# Heartbeats come fast: a message that met a busy agent goes out with the next one.
test-console: $(LOCAL)/venv/.made $(LOCAL)/console/.made ## The console in a headless Chromium; pictures in .local/screenshots (CHROMIUM=path)
	@test -x $(CHROMIUM) || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq \
	  && apt-get install -y -qq --no-install-recommends chromium >/dev/null; } \
	|| { echo "make test-console: there is no $(CHROMIUM): install Chromium (Debian: apt-get install chromium), or set CHROMIUM=" >&2; exit 1; }
	CHROMIUM=$(CHROMIUM) HEARTBEAT_SECONDS=2 $(EMULATOR_PYTHON) infra/local/test.py node --test tests/console/*.test.mjs

openapi: ## Write docs/openapi.json anew, from the types on the wire
	WRITE_OPENAPI=1 cargo test --workspace --test it template::openapi

test-openapi: $(LOCAL)/venv/.made $(LOCAL)/venv-schemathesis/.made ## Made-up requests of all sorts: every answer is one that docs/openapi.json has (EXAMPLES=10)
	$(EMULATOR_PYTHON) infra/local/test.py $(LOCAL)/venv-schemathesis/bin/python infra/local/openapi_fuzz.py $(or $(EXAMPLES),10)

security: security-e2e load fuzz deny test-openapi ## What SECURITY.md promises, longer than in `make test` (FUZZ_SECONDS=30 a target, GARBAGE_CASES=100)

# Addresses, doors, outages, permissions and garbage; then the logs of all functions are looked through.
security-e2e: $(LOCAL)/venv/.made
	GARBAGE_CASES=$(or $(GARBAGE_CASES),100) $(EMULATOR_PYTHON) infra/local/test.py \
	  cargo test --workspace --test it -- ssrf:: template:: modes:: auth:: a2a_auth ws::connect store::outage store::weather store::late store::conflicts store::unkept store::tokens store::secrets store::garbage _refused

# One after the other, each alone with the stack; the filters are not `load::`, which every upload has in its name.
load: $(LOCAL)/venv/.made ## Load on a stack of its own, calm and with a table that throttles; .local/load.md (WORKSPACES=200 RATE=20 messages/s SECONDS=120)
	@rm -f $(LOCAL)/load.md
	LOAD_WORKSPACES=$(or $(WORKSPACES),200) LOAD_RATE=$(or $(RATE),20) LOAD_SECONDS=$(or $(SECONDS),120) \
	  LOAD_BEAT_SECONDS=30 LOAD_DRAIN_SECONDS=600 LOAD_REPORT=$(CURDIR)/$(LOCAL)/load.md \
	  $(EMULATOR_PYTHON) infra/local/test.py cargo test --workspace --test it -- \
	  load::calm load::throttled::what_was --include-ignored --test-threads=1 --nocapture

grants: $(LOCAL)/venv/.made ## All end-to-end tests, and then the permissions of functions that none of them used, to read
	$(EMULATOR_PYTHON) infra/local/test.py --grants cargo test --workspace --test it

# Another compiler and other flags: not in $(CARGO_TARGET_DIR). What is found is kept, what is merely new is not.
fuzz: $(LOCAL)/cargo/bin/cargo-fuzz ## Everything that reads bytes from outside, fed with anything (FUZZ_SECONDS=30 each, FUZZ="cron yaml" only those)
	@rustup run nightly rustc --version >/dev/null 2>&1 || { echo "make fuzz: there is no nightly compiler: rustup toolchain install nightly --profile minimal" >&2; exit 1; }
	@for target in $(or $(FUZZ),$(FUZZ_TARGETS)); do \
	  mkdir -p $(LOCAL)/fuzz/$$target && echo "fuzz: $$target" && \
	  env -u CARGO_TARGET_DIR PATH="$(CURDIR)/$(LOCAL)/cargo/bin:$$PATH" cargo +nightly fuzz run --fuzz-dir tests/fuzz $$target \
	    $(CURDIR)/$(LOCAL)/fuzz/$$target $(CURDIR)/tests/fuzz/corpus/$$target \
	    -- -max_total_time=$(or $(FUZZ_SECONDS),30) -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 || exit 1; \
	done

deny: $(LOCAL)/cargo/bin/cargo-deny ## Licences, bans and sources of every crate; ADVISORIES=1: known vulnerabilities too, by network
	$(LOCAL)/cargo/bin/cargo-deny --all-features check --hide-inclusion-graph $(if $(ADVISORIES),,licenses bans sources)
	$(LOCAL)/cargo/bin/cargo-deny --manifest-path tests/fuzz/Cargo.toml --config $(CURDIR)/deny.toml check --hide-inclusion-graph bans sources

soak: ## The simulation until a million messages were accepted (MESSAGES=1000000; SEED=n replays one, with its trace)
	SIMULATION_MESSAGES=$(or $(MESSAGES),1000000) $(if $(SEED),SIMULATION_SEED=$(SEED)) \
	  cargo test --workspace --lib -- simulation::tests::seeds --nocapture

soak-fleet: ## The simulation of the fleet (SEEDS=2000; SEED=n replays one, with its trace)
	FLEET_SEEDS=$(or $(SEEDS),2000) $(if $(SEED),FLEET_SEED=$(SEED)) \
	  cargo test --workspace --lib -- fleet_simulation::tests::storms --nocapture

# Builds for this machine, whatever ARCH is: the ratios hold for the other one as well.
bench: ## Start, CPU, memory and size of the release binaries, beside a bare function; .local/bench.md (STRICT=1 fails, UPDATE=1 is the new baseline)
	@[ "$$(uname -s)" = Linux ] || { echo "make bench: it reads /proc, so it needs Linux" >&2; exit 1; }
	cargo build --release $(DOMAINS:%=--bin %) --bin bare
	PYTHON=$(PYTHON) cargo test --workspace --test bench

bench-baseline: ## As bench, and what it measures is what later runs are compared with
	$(MAKE) bench UPDATE=1

# The counting tests leave what they counted; the bench's CPU is taken in if it has run.
cost: $(LOCAL)/venv/.made ## What operations and an agent's month cost, from counted calls; .local/cost.md, and whether the README agrees
	@rm -rf $(LOCAL)/cost && mkdir -p $(LOCAL)/cost
	COUNTS_FOLDER=$(CURDIR)/$(LOCAL)/cost $(EMULATOR_PYTHON) infra/local/test.py cargo test --workspace --test it -- calls cost
	cargo test --workspace --test cost

lint: $(LOCAL)/venv-sam/.made $(LOCAL)/venv-checkov/.made ## Formatting, clippy, the template (cfn-lint, checkov), the boot script, the Python of the local stack
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	$(TOOLS)/cfn-lint template.yaml
	env LOG_LEVEL=ERROR $(LOCAL)/venv-checkov/bin/checkov --config-file infra/checkov.yaml
	$(TOOLS)/shellcheck infra/boot/*.sh
	$(TOOLS)/ruff check infra/local infra/deployed.py
	$(TOOLS)/ruff format --check infra/local infra/deployed.py

validate: $(LOCAL)/venv-sam/.made ## What the SAM CLI says about the template
	AWS_DEFAULT_REGION=us-east-1 $(SAM) validate --lint

build: build-$(ARCH) ## Release binaries in target/lambda (ARCH=arm64 with cargo-lambda, ARCH=x86_64 with cargo alone)

build-arm64:
	@cargo lambda --version >/dev/null 2>&1 || { echo "make build: cargo-lambda is not installed: pip install cargo-lambda, or build with ARCH=x86_64" >&2; exit 1; }
	cargo lambda build --release --arm64 $(DOMAINS:%=--bin %)

build-x86_64:
	@[ "$$(uname -sm)" = "Linux x86_64" ] || { echo "make build: ARCH=x86_64 needs an x86_64 Linux machine; here use ARCH=arm64" >&2; exit 1; }
	cargo build --release $(DOMAINS:%=--bin %)
	$(call place,release)
	@newest=$$(grep -aoh 'GLIBC_2\.[0-9]*' target/lambda/*/bootstrap | sort -Vu | tail -1); \
	[ "$$(printf '%s\n' $(GLIBC) $$newest | sort -V | tail -1)" = $(GLIBC) ] \
	|| { echo "make build: the binaries need $$newest, Lambda has $(GLIBC): build on an older Linux or with ARCH=arm64" >&2; exit 1; }

# Where no samconfig.toml is, the stack may be there all the same: then all its parameters stay as they are. `--guided`
# would offer the template's defaults for them. An ARCH that somebody has set wins over the stack's.
deploy: $(LOCAL)/venv-sam/.made ## Build and deploy to your AWS account; asks for what neither samconfig.toml nor a stack says
ifneq ($(wildcard samconfig.toml),)
	@$(MAKE) --no-print-directory deploy-now
else
	@deployed=$$($(TOOLS)/python infra/deployed.py $(STACK)) || exit 1; \
	arch=$(if $(filter file,$(origin ARCH)),$${deployed:-$(ARCH)},$(ARCH)); \
	case $$deployed in '') how=--guided ;; *) how='--resolve-s3 --no-fail-on-empty-changeset' ;; esac; \
	$(MAKE) --no-print-directory deploy-now ARCH=$$arch HOW="--stack-name $(STACK) $$how --parameter-overrides Architecture=$$arch"
endif

deploy-now: build
	$(SAM) build
	$(SAM) deploy --capabilities CAPABILITY_IAM $(HOW)

deploy-local-sam: $(LOCAL)/venv/.made $(LOCAL)/venv-sam/.made ## Show that the real SAM CLI deploys the template, to an emulator of its own
	cargo build --workspace --bins
	$(call place,debug)
	$(SAM) build
	$(EMULATOR_PYTHON) infra/local/test.py --emulator-only $(SAM) deploy --stack-name $(STACK)-sam \
	  --resolve-s3 --capabilities CAPABILITY_IAM --no-confirm-changeset --parameter-overrides MoleculeEnv=development

clean-local: ## Remove what the local stack has put under .local: environments, logs, state
	rm -rf $(LOCAL)

# Copies each domain's binary of one cargo profile to where the template looks for it.
define place
@for domain in $(DOMAINS); do \
  mkdir -p target/lambda/$$domain && cp target/$(1)/$$domain target/lambda/$$domain/bootstrap || exit 1; \
done
endef

$(LOCAL)/cargo/bin/%:
	cargo install $* --locked --quiet --root $(LOCAL)/cargo

$(LOCAL)/console/.made: tests/console/package.json tests/console/package-lock.json
	@command -v npm >/dev/null && node -e 'process.exit(Number(process.versions.node.split(".")[0] < 20))' \
	|| { echo "make: the test of the console needs Node.js 20 or newer, with npm (only that test does)" >&2; exit 1; }
	@mkdir -p $(@D) && cp $^ $(@D)
	@npm ci --prefix $(@D) --no-audit --no-fund --silent
	@touch $@

$(LOCAL)/venv/.made: infra/local/requirements.txt
	$(make_venv)

$(LOCAL)/venv-sam/.made: infra/local/requirements-sam.txt
	$(make_venv)

$(LOCAL)/venv-checkov/.made: infra/local/requirements-checkov.txt
	$(make_venv)

$(LOCAL)/venv-schemathesis/.made: infra/local/requirements-schemathesis.txt
	$(make_venv)

# From scratch whenever the requirements change: a venv updated in place keeps what is no longer wanted.
define make_venv
@command -v $(PYTHON) >/dev/null || { echo "make: $(PYTHON) is not installed: install Python 3.11 or newer, or set PYTHON=" >&2; exit 1; }
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: $(PYTHON) is older than Python 3.11; set PYTHON= to a newer one" >&2; exit 1; }
@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "make: $(PYTHON) cannot make virtual environments: install its venv package (Debian: python3-venv)" >&2; exit 1; }
@echo "Installing $< into $(@D) ..."
@rm -rf $(@D)
@$(PYTHON) -m venv $(@D)
@$(@D)/bin/pip install --quiet --disable-pip-version-check -r $<
@touch $@
endef
