#!/bin/sh
# What the GitHub Action runs: check, leave reports, and say how it went. The
# inputs come as INPUT_PATHS, INPUT_ARGS and INPUT_REPORTS; GitHub sets the rest.
set -u
reports=${INPUT_REPORTS:-kratix-schedule-reports}

if ! command -v kratix-schedule >/dev/null; then
	bin=${RUNNER_TEMP:-/tmp}/kratix-schedule-bin
	(cd "$GITHUB_ACTION_PATH" && CGO_ENABLED=0 go build -trimpath -o "$bin/kratix-schedule" ./cmd/kratix-schedule) || exit 3
	PATH=$bin:$PATH
fi

mkdir -p "$reports" || exit 3
# Paths and arguments are lists of words, as they would be in a command line.
# shellcheck disable=SC2086
kratix-schedule validate ${INPUT_PATHS:-} ${INPUT_ARGS:-} \
	-o text -o "sarif=$reports/report.sarif" -o "junit=$reports/report.xml" -o "html=$reports/report.html"
status=$?

{
	echo "status=$status"
	echo "sarif=$reports/report.sarif"
	echo "junit=$reports/report.xml"
	echo "html=$reports/report.html"
} >>"${GITHUB_OUTPUT:-/dev/null}"
case $status in
0) verdict='nothing that fails the check' ;;
1) verdict='findings; they are annotated, and in the reports' ;;
*) verdict="the check itself failed with status $status" ;;
esac
echo "**kratix-schedule**: $verdict" >>"${GITHUB_STEP_SUMMARY:-/dev/null}"
exit $status
