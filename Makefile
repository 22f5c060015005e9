# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

PYTHON ?= python3
MAKEFLAGS += --no-print-directory
export INVENTORY LIMIT CHECK ARGS ONLY KEEP_GOING

.PHONY: help cleanup report test lint unit sanity integration system attacks endurance page test-fleet build format lock clean setup-play setup-test

help: ## show this list
	@echo "make TARGET"
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 14 | sed 's/^/  /'
	@echo
	@echo "cleanup and report take INVENTORY=hosts.ini LIMIT=pattern CHECK=1 ARGS='further options of ansible-playbook'."
	@echo "test takes ONLY=name,name and KEEP_GOING=1; '$(PYTHON) .ci/test.py --list' names the checks."

cleanup: setup-play ## remove abandoned tmux sessions on this machine, or on INVENTORY=...; CHECK=1 only says which
	@$(PYTHON) .ci/play.py cleanup

report: setup-play ## say what cleanup would do, and what is there
	@$(PYTHON) .ci/play.py report

test: setup-test ## every check
	@$(PYTHON) .ci/test.py

lint: setup-test ## the checks that run nothing of the collection
	@$(PYTHON) .ci/test.py lint

unit: setup-test ## unit tests on the newest Python and on 3.6
	@$(PYTHON) .ci/test.py unit

sanity: setup-test ## ansible-test sanity on the newest and the oldest ansible-core
	@$(PYTHON) .ci/test.py sanity

integration: setup-test ## integration targets on the newest ansible-core, and on the oldest with Python 3.6
	@$(PYTHON) .ci/test.py integration

system: setup-test ## tests of the whole against real tmux servers
	@$(PYTHON) .ci/test.py system

attacks: setup-test ## what hostile users may try against root, and real users with real servers; needs root
	@$(PYTHON) .ci/test.py attacks

endurance: setup-test ## runs that are killed, a disk that is full, and much activity for a while; wants root
	@$(PYTHON) .ci/test.py endurance

page: setup-test ## open reports in a real browser
	@$(PYTHON) .ci/test.py page

test-fleet: setup-test ## bring many real hosts up, clean them up, and let things happen to them; needs root
	@$(PYTHON) .ci/test.py fleet

build: setup-test ## build the collection, and check the package the way Galaxy does
	@$(PYTHON) .ci/test.py package

format: setup-test ## let ruff sort imports and format
	@ruff=$$($(PYTHON) .ci/environments.py new)/bin/ruff && "$$ruff" check --fix-only --quiet . && "$$ruff" format .

lock: setup-test ## write the locked requirements again
	@$(PYTHON) .ci/environments.py lock

clean: ## drop virtual environments, logs and everything else that can be made again
	rm -rf .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis .ansible tests/output

setup-play:
	@.ci/setup-system $(if $(INVENTORY),play,play-local)

setup-test:
	@.ci/setup-system test
