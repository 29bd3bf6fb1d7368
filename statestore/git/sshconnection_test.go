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
		<-never // like a request without a reply
		return 0, nil
	})
	if !errors.Is(err, errConnectionEnded) {
		t.Error(err)
	}
}
