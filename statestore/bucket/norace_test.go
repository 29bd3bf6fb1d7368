//go:build !race

package bucket_test

func raceEnabled() bool { return false }
