#!/bin/sh
# The script of the GitHub Action: it runs the check, writes reports, and prints the result. The
# inputs are in INPUT_PATHS, INPUT_ARGS and INPUT_REPORTS; GitHub sets the other variables.
set -u
reports=${INPUT_REPORTS:-kratix-schedule-reports}

if ! command -v kratix-schedule >/dev/null; then
	if ! command -v go >/dev/null; then
		echo '::error::there is neither kratix-schedule nor go on the PATH: put actions/setup-go before this action'
		exit 3
	fi
	bin=${RUNNER_TEMP:-/tmp}/kratix-schedule-bin
	(cd "$GITHUB_ACTION_PATH" && CGO_ENABLED=0 go build -trimpath -buildvcs=false \
		-ldflags "-s -w -X main.version=${GITHUB_ACTION_REF:-dev}" -o "$bin/kratix-schedule" ./cmd/kratix-schedule) || exit 3
	PATH=$bin:$PATH
fi

mkdir -p "$reports" || exit 3
rm -f "$reports/report.sarif" "$reports/report.xml" "$reports/report.html" "$reports/report.md"
# Paths and arguments are lists of words, as on a command line.
# shellcheck disable=SC2086
kratix-schedule validate ${INPUT_PATHS:-} ${INPUT_ARGS:-} \
	-o text -o "sarif=$reports/report.sarif" -o "junit=$reports/report.xml" -o "html=$reports/report.html" -o "markdown=$reports/report.md"
status=$?

# A check that fails to run writes no reports.
{
	echo "status=$status"
	for report in sarif=report.sarif junit=report.xml html=report.html markdown=report.md; do
		[ ! -f "$reports/${report#*=}" ] || echo "${report%%=*}=$reports/${report#*=}"
	done
} >>"${GITHUB_OUTPUT:-/dev/null}"
case $status in
0) verdict='nothing that fails the check' ;;
1) verdict='findings; they are annotated, and in the reports' ;;
*) verdict="the check itself failed with status $status" ;;
esac
{
	echo "**kratix-schedule**: $verdict"
	[ ! -f "$reports/report.md" ] || cat "$reports/report.md"
} >>"${GITHUB_STEP_SUMMARY:-/dev/null}"
exit $status
