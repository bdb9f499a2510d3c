#!/usr/bin/env bash
# Each program of the pipe killed at 50 random moments (tests/cli/zero_copy.sh).
FA_KILLS=50 exec bash tests/cli/zero_copy.sh
