# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

PYTHON ?= python3
MAKEFLAGS += --no-print-directory
export INVENTORY LIMIT CHECK YES ARGS ONLY TESTS KEEP_GOING

# A mistyped variable would not be heeded, and what it was to limit would be done to everything. A make above this one
# hands its own variables down.
VARIABLES := INVENTORY LIMIT CHECK YES ARGS ONLY TESTS KEEP_GOING MINUTES PYTHON
OTHERS := CI SHELL MAKEFLAGS FLEET_TMUX_BINARIES FLEET_CACHE FLEET_MIRROR FLEET_SUITES FLEET_WITHOUT_OLDEST FRESH_CACHE
TYPED := $(foreach name,$(.VARIABLES),$(if $(filter command,$(origin $(name))),$(name)))
UNKNOWN := $(filter-out $(VARIABLES) $(OTHERS),$(TYPED))
EMPTY := $(foreach name,$(filter INVENTORY LIMIT PYTHON,$(TYPED)),$(if $(strip $($(name))),,$(name)))
ifeq ($(MAKELEVEL),0)
ifneq ($(strip $(UNKNOWN) $(EMPTY)),)
$(error $(or $(shell $(or $(PYTHON),python3) .ci/variables.py '$(VARIABLES)' '$(UNKNOWN)' '$(EMPTY)'),not known or empty: $(UNKNOWN) $(EMPTY)))
endif
endif

.PHONY: help cleanup report test lint unit tmux sanity integration system attacks verdicts soak-verdicts endurance page test-fleet fresh explore build format options lock clean setup-play setup-test

help: ## show this list
	@echo "make TARGET"
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 14 | sed 's/^/  /'
	@echo
	@echo "cleanup and report take INVENTORY=hosts.ini LIMIT=pattern CHECK=1 ARGS='further options of ansible-playbook'."
	@echo "cleanup shows its plan on a terminal and asks; YES=1 does not ask."
	@echo "test takes ONLY=name,name and KEEP_GOING=1; '$(PYTHON) .ci/checks.py --list' names the checks."

cleanup: setup-play ## remove abandoned tmux sessions here, or on INVENTORY=..., after it has asked; CHECK=1 only says which
	@$(PYTHON) .ci/play.py cleanup

report: setup-play ## say what cleanup would do, and what is there
	@$(PYTHON) .ci/play.py report

test: setup-test ## every check
	@$(PYTHON) .ci/checks.py

lint: setup-test ## the checks that run nothing of the collection
	@$(PYTHON) .ci/checks.py lint

unit: setup-test ## tests that need no tmux, on the newest Python and on 3.6
	@$(PYTHON) .ci/checks.py unit

tmux: setup-test ## tests with private tmux servers, on the newest Python and on 3.6
	@$(PYTHON) .ci/checks.py tmux

sanity: setup-test ## ansible-test sanity on the newest and the oldest ansible-core
	@$(PYTHON) .ci/checks.py sanity

integration: setup-test ## integration targets on the newest ansible-core, and on the oldest with Python 3.6
	@$(PYTHON) .ci/checks.py integration

system: setup-test ## tests of the whole against real tmux servers
	@$(PYTHON) .ci/checks.py system

attacks: setup-test ## what hostile users may try against root, and real users with real servers; needs root
	@$(PYTHON) .ci/checks.py attacks

verdicts: setup-test ## what is removed and what stays of real programs, with both rights, and every FLEET_TMUX_BINARIES; needs root
	@rm -rf .cache/verdicts && mkdir -p .cache/verdicts
	@VERDICTS=whole VERDICTS_RESULTS=$(CURDIR)/.cache/verdicts $(PYTHON) .ci/checks.py verdicts
	@$(PYTHON) tests/verdicts/document.py .cache/verdicts

soak-verdicts: setup-test ## live and abandoned sessions of many users on a fleet, cleaned up for MINUTES=45; needs root
	@python=$$($(PYTHON) .ci/environments.py new)/bin/python && PATH="$$(dirname "$$python"):$$PATH" "$$python" tests/fleet soak --minutes $(or $(MINUTES),45)

endurance: setup-test ## runs that are killed, a disk that is full, and much activity for a while; wants root
	@$(PYTHON) .ci/checks.py endurance

page: setup-test ## open reports in a real browser
	@$(PYTHON) .ci/checks.py page

test-fleet: setup-test ## bring many real hosts up, clean them up, and let things happen to them; needs root
	@$(PYTHON) .ci/checks.py fleet

fresh: setup-test ## follow the README on systems that were just installed; needs root
	@$(PYTHON) .ci/checks.py fresh

build: setup-test ## build the collection, and check the package the way Galaxy does
	@$(PYTHON) .ci/checks.py package

explore: setup-test ## property-based and stateful tests with fresh examples, and hostile users, for MINUTES=30
	@"$$($(PYTHON) .ci/environments.py new)/bin/python" tests/explore.py --minutes $(or $(MINUTES),30)

format: setup-test ## let ruff sort imports and format
	@ruff=$$($(PYTHON) .ci/environments.py new)/bin/ruff && "$$ruff" check --fix-only --quiet . && "$$ruff" format .

options: setup-test ## write what follows from the documentation of options
	@"$$($(PYTHON) .ci/environments.py new)/bin/python" tests/update_options.py

lock: setup-test ## write the locked requirements again
	@$(PYTHON) .ci/environments.py lock

clean: ## drop virtual environments, logs and everything else that can be made again
	rm -rf .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis .ansible tests/output

setup-play:
	@.ci/setup-system play

setup-test:
	@.ci/setup-system test
