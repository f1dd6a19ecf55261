# SPDX-License-Identifier: Apache-2.0
# A thin front of meson and ninja. `make help` lists what there is.
BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=
MESON ?= meson

.PHONY: all build deps deps-test test demo bench install format clean help

all: build

help:
	@echo "make            build $(BUILD)/leat and $(BUILD)/libleat.so"
	@echo "make deps       install the Debian packages that are missing"
	@echo "make deps-test  lay the pinned test clients into .deps/"
	@echo "make test       run every suite (installs what it needs)"
	@echo "make demo       the main job on real data (installs what it needs)"
	@echo "make bench      print the figures and write them to $(BUILD)/bench.json"
	@echo "make install    leat, libleat, headers, pkg-config file, man pages (PREFIX, DESTDIR)"
	@echo "make format     clang-format over the tree"
	@echo "make clean      remove what was built"

build:
	@tools/deps --check
	@$(MAKE) --no-print-directory $(BUILD)/build.ninja
	@$(MESON) compile -C $(BUILD) leat:executable leat:shared_library

$(BUILD)/build.ninja:
	@$(MESON) setup $(BUILD) --prefix '$(PREFIX)'

deps:
	@tools/deps

deps-test:
	@tools/deps test
	@tools/deps-test

test: deps-test
	@tools/run-tests

demo: deps
	@$(MAKE) --no-print-directory build
	@tools/demo

bench: deps-test
	@tools/deps bench || echo "  (columns of peers that cannot be built stay empty)"
	@$(MAKE) --no-print-directory build
	@bench/run

install: build
	@$(MESON) configure $(BUILD) --prefix '$(PREFIX)'
	@$(MESON) compile -C $(BUILD) leat:executable leat:shared_library man
	@DESTDIR='$(DESTDIR)' $(MESON) install -C $(BUILD) --no-rebuild
	@if [ -z '$(DESTDIR)' ] && [ "$$(id -u)" = 0 ]; then ldconfig; fi

format:
	@git ls-files '*.c' '*.h' | xargs clang-format-14 -i

clean:
	@rm -rf build build-asan build-tsan build-msan build-clang
