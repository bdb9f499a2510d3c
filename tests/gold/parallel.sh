#!/usr/bin/env bash
# GNU parallel at full size: 200 short clips at -j 8, killed at a random moment 20 times and resumed; 64 starts at once.
FA_PARALLEL_CLIPS=200 FA_PARALLEL_KILLS=20 FA_PARALLEL_WAIT=6 FA_PARALLEL_STARTS=64 exec bash tests/cli/parallel.sh
