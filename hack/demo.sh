#!/bin/sh
# The README's demo: of two requests with the same CRDs, the second is held back. It writes only
# below ./demo.
set -u
cd "$(dirname "$0")/.." || exit 3
PATH="$PWD/bin:$PATH"
. hack/show.sh
rm -rf demo

say() { printf '\n# %s\n' "$*"; }

in=testdata/elastic-cloud

say 'One request for an Elastic Cloud: it is placed and written.'
show 0 kratix-schedule run --once -f $in/destination.yaml -f $in/state-store.yaml -f $in/work-example.yaml
show 0 git --git-dir demo/state-store.git ls-tree -r --name-only main

say 'A second one brings the same CRDs and operator. Flux would stop applying anything at all.'
say 'It alone is held back; the Redis request that came with it is written. The exit status is 1.'
show 1 kratix-schedule run --once -f $in
show 0 git --git-dir demo/state-store.git ls-tree -r --name-only main worker-1/resources/default

say 'Again: nothing has changed, so there is no commit.'
show 0 kratix-schedule run --once -f $in/destination.yaml -f $in/state-store.yaml -f $in/work-example.yaml -f $in/work-cache.yaml
show 0 git --git-dir demo/state-store.git log --format=%s main
