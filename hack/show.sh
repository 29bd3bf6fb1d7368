# Sourced by the scripts that show commands and what they print.

# show runs a command after printing it, and fails when it ends otherwise than
# expected: show STATUS COMMAND...
show() {
	expected=$1
	shift
	printf '$ %s\n' "$*"
	"$@"
	status=$?
	if [ "$status" -ne "$expected" ]; then
		printf 'expected exit status %s and got %s\n' "$expected" "$status" >&2
		exit 1
	fi
}
