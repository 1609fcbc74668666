# make demo           run the sample network until Ctrl-C; FRESH=1 forgets what it kept
# make test           everything that must hold before a change goes in
# make bench          the figures of docs/performance.md
# make fuzz           each fuzz target for a minute, or for FUZZ_SECONDS; see docs/fuzzing.md
# make setup          only install what the others need
#
# Both commands set up what they need and share one build. A single shape of the build command
# matters: with fewer targets Cargo chooses other features and compiles the dependencies again.

program := $(or $(CARGO_TARGET_DIR),target)/debug/musubi
hospital := data/demo-hospital

.PHONY: bench demo fuzz test setup
.NOTPARALLEL:

build = cargo build --locked --workspace --all-targets

setup:
	@scripts/setup.sh test

demo:
	@scripts/setup.sh demo
	@$(build)
ifeq ($(FRESH),1)
	@rm -rf data
endif
	@umask 077; test -d $(hospital) || { mkdir -p $(hospital).new && \
		tar -xJf samples/demo-hospital.tar.xz -C $(hospital).new && \
		mv $(hospital).new $(hospital); }
	@exec $(program) demo

test: setup
	cargo fmt --all --check
	$(build)
	cargo test --locked --workspace --no-fail-fast
	python3 -m unittest discover -s tests/independent -t tests
	cargo clippy --locked --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps
	$(program) check networks/*/

bench: setup
	cargo bench --locked --bench figures
	cargo bench --locked --bench message

fuzz:
	@scripts/setup.sh fuzz
	@scripts/fuzz.sh
