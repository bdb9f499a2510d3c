# Settings a packager or a user may change; all can be given on make's command line.
VERSION  = 0.1.0
PREFIX  ?= /usr/local
DESTDIR ?=
BINDIR   = $(PREFIX)/bin
MANDIR   = $(PREFIX)/share/man
DATADIR  = $(PREFIX)/share/fa-tools
COMPDIR  = $(PREFIX)/share/bash-completion/completions

CC      ?= cc
OPT     ?= -O2 -g
# WERROR is on for checks and CI, off for a user with a newer compiler.
WERROR  ?=
# SAN is set by the asan and tsan targets.
SAN     ?=
B       ?= build
