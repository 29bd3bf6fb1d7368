package git

import (
	"errors"
	"testing"
)

func TestRequestWithoutAReplyEndsWithTheConnection(t *testing.T) {
	ended := make(chan struct{})
	never := make(chan struct{})
	defer close(never)
	close(ended)
	_, err := awaited(t.Context(), &connection{ended: ended}, func() (int, error) {
		<-never // blocks forever, like a request of the library to which no reply comes
		return 0, nil
	})
	if !errors.Is(err, errConnectionEnded) {
		t.Error(err)
	}
}
