# Sourced by the scripts that print commands with their output.

# show prints a command and runs it, and exits if the exit status is not the expected one:
# show STATUS COMMAND...
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
