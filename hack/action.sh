#!/bin/sh
# The script of the GitHub Action: it runs the check, writes reports, prints the result and posts it
# as a comment of the pull request. The inputs are in INPUT_PATHS, INPUT_ARGS, INPUT_REPORTS,
# INPUT_VERSION, INPUT_CHECKSUM, INPUT_COMMENT, INPUT_COMMENT_NAME and INPUT_TOKEN; GitHub sets the
# other variables.
set -u
reports=${INPUT_REPORTS:-kratix-schedule-reports}
token=${INPUT_TOKEN:-}
unset INPUT_TOKEN # only the comment needs it

# build builds the program from the action's own source.
build() {
	if ! command -v go >/dev/null; then
		echo '::error::there is neither kratix-schedule nor go on the PATH: set the input version to a release, or put actions/setup-go before this action'
		return 1
	fi
	(cd "$GITHUB_ACTION_PATH" && CGO_ENABLED=0 go build -trimpath -buildvcs=false \
		-ldflags "-s -w -X main.version=${GITHUB_ACTION_REF:-dev}" -o "$bin/kratix-schedule" ./cmd/kratix-schedule)
}

if ! command -v kratix-schedule >/dev/null; then
	bin=${RUNNER_TEMP:-/tmp}/kratix-schedule-bin
	version=${INPUT_VERSION:-}
	if [ -z "$version" ]; then # an action that is used by its version uses that version
		case ${GITHUB_ACTION_REF:-} in v[0-9]*.[0-9]*.[0-9]*) version=$GITHUB_ACTION_REF ;; esac
	fi
	fetched=4
	if [ -n "$version" ]; then
		KRATIX_SCHEDULE_CHECKSUM=${INPUT_CHECKSUM:-} sh "$GITHUB_ACTION_PATH/hack/download.sh" "$version" "$bin"
		fetched=$?
	fi
	case $fetched in
	0) ;;
	1)
		echo "::error::the release $version is not what its checksum says: it is not used"
		exit 3
		;;
	*) build || exit 3 ;;
	esac
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

# A comment that cannot be written changes nothing of the result.
case ${INPUT_COMMENT:-true} in
true)
	if [ -f "$reports/report.md" ]; then
		said=$(KRATIX_SCHEDULE_COMMENT_TOKEN=$token kratix-schedule comment "$reports/report.md" --name "${INPUT_COMMENT_NAME:-}" 2>&1) ||
			said="::warning::the result is not in a comment of the pull request: $said"
		printf '%s\n' "$said"
	fi
	;;
false) ;;
*) echo '::warning::the input comment is neither true nor false: there is no comment' ;;
esac
exit $status
