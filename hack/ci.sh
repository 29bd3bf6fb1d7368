#!/bin/sh
# The example in docs/ci.md: a check of a pipeline's output fails, and then passes. It writes only
# below ./demo/ci.
set -u
cd "$(dirname "$0")/.." || exit 3
PATH="$PWD/bin:$PATH"
. hack/show.sh
rm -rf demo/ci
mkdir -p demo/ci
cp -R testdata/elastic-cloud/pipelines/example demo/ci/first
cp -R testdata/elastic-cloud/pipelines/second-request demo/ci/second
cd demo/ci || exit 3

say() { printf '# %s\n' "$*"; }

say 'What the pipeline left behind for two requests. The exit status is 1.'
show 1 kratix-schedule validate --pipeline first --pipeline second --promise elastic-cloud --max-findings 2
printf '\n'
say 'What every request needs goes into the dependencies of the Promise. The exit status is 0.'
show 0 rm first/output/elastic-crds.yaml first/output/elastic-operator.yaml second/output/elastic-crds.yaml second/output/elastic-operator.yaml
show 0 kratix-schedule validate --pipeline first --pipeline second --promise elastic-cloud
