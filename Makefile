# fa-tools: build, install, check. GNU make. Settings: config.mk.
# Sources are found by folder: a new room, program or test is a new file, not a new line here.
include config.mk
.DEFAULT_GOAL := all
.SUFFIXES:
.SECONDARY:

WARN     = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wno-unknown-warning-option -Wno-format-truncation $(WERROR)
ROOMS   := $(sort $(dir $(wildcard lib/*/*.h)))
CPPFLAGS_ALL = -D_GNU_SOURCE -DFA_VERSION='"$(VERSION)"' -DFA_DATADIR='"$(DATADIR)"' $(addprefix -I,$(ROOMS)) $(CPPFLAGS)
# No contraction: where a fused multiply-add is part of a definition the code says fmaf.
CFLAGS_ALL   = -std=c11 $(OPT) -ffp-contract=off -fno-math-errno -fopenmp-simd $(WARN) $(SAN) $(CFLAGS)
LDLIBS_ALL   = -lzstd -lxxhash -lnuma -lm -pthread $(LDLIBS)

ARCH    := $(shell $(CC) -dumpmachine | cut -d- -f1)
LIBSRC  := $(filter-out lib/kern/x86/% lib/kern/arm/%,$(wildcard lib/*/*.c))
ifeq ($(ARCH),x86_64)
LIBSRC  += $(wildcard lib/kern/x86/*.c)
endif
ifeq ($(ARCH),aarch64)
LIBSRC  += $(wildcard lib/kern/arm/*.c)
endif
LIBOBJ  := $(LIBSRC:%.c=$(B)/%.o)
LIB     := $(B)/libfa.a

CMDSRC  := $(wildcard cmd/*.c shmload/*.c)
CMDS    := $(basename $(notdir $(CMDSRC)))
SCRIPTS := fa-slurm
BINS    := $(CMDS:%=$(B)/bin/%) $(SCRIPTS:%=$(B)/bin/%)
TESTSRC := $(wildcard tests/unit/*.c tests/kern/*.c tests/stage/*.c)
TESTS   := $(TESTSRC:%.c=$(B)/%)
BENCHES := $(patsubst %.c,$(B)/%,$(wildcard tests/bench/*.c))
FUZZERS := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(wildcard tests/fuzz/*.c))

all: $(BINS)
tests: $(TESTS)

# Only these files may use more than the base instruction set; kern.c chooses among them at start.
$(B)/lib/kern/x86/%_avx2.o:   ISA = -mavx2 -mfma -mf16c
$(B)/lib/kern/x86/%_avx512.o: ISA = -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx2 -mfma -mf16c -mprefer-vector-width=512

$(B)/%.o: %.c config.mk Makefile
	@mkdir -p $(@D)
	@echo "  CC $<"; $(CC) $(CPPFLAGS_ALL) -Itests $(CFLAGS_ALL) $(ISA) -MMD -MP -c -o $@ $<

$(LIB): $(LIBOBJ)
	@rm -f $@; echo "  AR $@"
	@$(AR) rcs $@ $(LIBOBJ)

# A program is one file of cmd/ (shmload has its own folder).
define PROGRAM =
$(B)/bin/$(basename $(notdir $(1))): $(B)/$(1:.c=.o) $(LIB)
	@mkdir -p $$(@D)
	@echo "  LD $$@"; $$(CC) $$(CFLAGS_ALL) $$(LDFLAGS) -o $$@ $$< $(LIB) $$(LDLIBS_ALL)
endef
$(foreach c,$(CMDSRC),$(eval $(call PROGRAM,$(c))))

$(B)/tests/%: $(B)/tests/%.o $(B)/tests/fa_test.o $(B)/tests/dump.o $(LIB)
	@echo "  LD $@"; $(CC) $(CFLAGS_ALL) $(LDFLAGS) -o $@ $< $(B)/tests/fa_test.o $(B)/tests/dump.o $(LIB) $(LDLIBS_ALL)

$(SCRIPTS:%=$(B)/bin/%): $(B)/bin/%: cmd/% config.mk
	@mkdir -p $(@D)
	@sed 's/@VERSION@/$(VERSION)/' $< >$@ && chmod 755 $@

# The main job on a real clip, set-up included. CLIP= and MODEL= choose others.
demo:
	@.ci/deps build
	@$(MAKE) --no-print-directory all
	@B=$(B) CLIP='$(CLIP)' MODEL='$(MODEL)' .ci/demo

# The quick set (minutes on 2 cores) and the whole set. Both end with one line: N passed, N failed, N skipped.
check:
	@.ci/deps check
	@$(MAKE) --no-print-directory all tests
	@B=$(B) tests/run quick
check-all:
	@.ci/deps check
	@$(MAKE) --no-print-directory all tests
	@B=$(B) tests/run all

# A real Slurm of two nodes on this machine's loopback (slurm-wlm, munge, root): an array job, a node that dies, scancel.
check-cluster: all
	@B=$(B) tests/run cluster

# Both on a new Debian root with nothing in it, no ../shared and no network; root and debootstrap.
check-fresh:
	@.ci/fresh

asan:
	$(MAKE) B=build-asan OPT='-O1 -g' SAN='-fsanitize=address,undefined -fno-sanitize-recover=undefined' check
tsan:
	$(MAKE) B=build-tsan OPT='-O1 -g' SAN='-fsanitize=thread' check

# Staging and placement on an emulated machine with two NUMA nodes; a few minutes, and it needs qemu.
check-numa: all
	@B=$(B) tests/numa/run

# Fuzzers need clang. FUZZ_SECONDS each, from the seeds in tests/fuzz/corpus/NAME.
FUZZ_SECONDS ?= 20
FUZZFLAGS = -std=c11 -O1 -g -ffp-contract=off -DFA_NO_SIMD -fsanitize=fuzzer$(1),address,undefined
FUZZOBJ  := $(patsubst %.c,$(B)/fuzz/%.o,$(filter-out lib/kern/x86/% lib/kern/arm/%,$(LIBSRC)))
$(B)/fuzz/lib/%.o: lib/%.c config.mk Makefile
	@mkdir -p $(@D)
	@echo "  FUZZ CC $<"; clang $(CPPFLAGS_ALL) $(call FUZZFLAGS,-no-link) -MMD -MP -c -o $@ $<
$(B)/fuzz/%: tests/fuzz/%.c $(FUZZOBJ)
	@mkdir -p $(@D)
	@echo "  FUZZ LD $@"; clang $(CPPFLAGS_ALL) $(call FUZZFLAGS,) -o $@ $< $(FUZZOBJ) $(LDLIBS_ALL)
fuzz: $(FUZZERS)
	@tests/fuzz/run $(FUZZ_SECONDS) $(FUZZERS)

bench: all $(BENCHES)
	@B=$(B) tests/bench/run

lint:
	cppcheck --quiet --error-exitcode=1 -j 2 --std=c11 --enable=warning,performance,portability --inline-suppr \
	    --library=posix --suppress=missingIncludeSystem --suppress=readdirCalled $(addprefix -I,$(ROOMS)) -D_GNU_SOURCE -DFA_VERSION='"0"' lib cmd shmload
	if command -v shellcheck >/dev/null; then shellcheck -s sh $(SCRIPTS:%=cmd/%); fi
	printf '%s\n' $(filter-out lib/kern/x86/% lib/kern/arm/%,$(wildcard lib/*/*.c)) $(CMDSRC) | \
	    xargs -P 2 -I{} clang-tidy --quiet {} -- $(CPPFLAGS_ALL) -std=c11 -fopenmp-simd

install: all
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(MANDIR)/man1 $(DESTDIR)$(MANDIR)/man5 $(DESTDIR)$(MANDIR)/man7 $(DESTDIR)$(COMPDIR)
	install -m 755 $(BINS) $(DESTDIR)$(BINDIR)
	install -Dm 644 -t $(DESTDIR)$(DATADIR) models/starter/starter.pack models/starter/README.md
	for m in man/*.1; do install -m 644 $$m $(DESTDIR)$(MANDIR)/man1; done
	for m in man/*.5; do install -m 644 $$m $(DESTDIR)$(MANDIR)/man5; done
	for m in man/*.7; do install -m 644 $$m $(DESTDIR)$(MANDIR)/man7; done
	if [ -f cmd/completion.bash ]; then install -m 644 cmd/completion.bash $(DESTDIR)$(COMPDIR)/fa; fi
	for c in $(filter-out fa,$(CMDS) $(SCRIPTS)); do ln -sf fa $(DESTDIR)$(COMPDIR)/$$c; done

clean:
	rm -rf build build-*

.PHONY: demo all tests check check-all check-numa check-cluster check-fresh asan tsan fuzz bench lint install clean
-include $(LIBOBJ:.o=.d) $(FUZZOBJ:.o=.d) $(CMDSRC:%.c=$(B)/%.d) $(TESTS:=.d)
