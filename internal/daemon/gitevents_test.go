package daemon

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/agent/receive"
)

const webhookSecret = "0123456789abcdef"

func (b *bubble) webhook(branch string) int {
	body := `{"ref":"refs/heads/` + branch + `","repository":{"full_name":"example/state"}}`
	request := httptest.NewRequest(http.MethodPost, receive.GitPath, strings.NewReader(body)) //nolint:noctx // the request is not sent
	mac := hmac.New(sha256.New, []byte(webhookSecret))
	_, _ = mac.Write([]byte(body))
	request.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	response := httptest.NewRecorder()
	b.daemon.endpoints(false).ServeHTTP(response, request)
	return response.Code
}

func onExampleState(b *bubble) {
	limited(b)
	b.snapshot.GitStateStores[0].Spec.URL = "ssh://git@altssh.example.com:443/Example/state.git"
	b.daemon.GitEventsSecret = func() (string, error) { return webhookSecret, nil }
}

func TestPushReportedByItsHostIsReadAtOnce(t *testing.T) {
	inABubbleWith(t, onExampleState, func(t *testing.T, b *bubble) {
		b.putAndNotify("a", "")
		time.Sleep(time.Minute)
		b.counts()
		for _, test := range []struct {
			branch string
			reads  int
		}{{"main", 1}, {"other", 0}} {
			if status := b.webhook(test.branch); status != http.StatusAccepted {
				t.Errorf("status %d", status)
			}
			synctest.Wait()
			if asked, _ := b.counts(); asked != test.reads {
				t.Errorf("a push of %s is followed by %d reads", test.branch, asked)
			}
			time.Sleep(eventPause)
		}
		for range 1000 {
			b.webhook("main")
			time.Sleep(10 * time.Millisecond)
		}
		if asked, _ := b.counts(); asked < 4 || asked > 6 {
			t.Errorf("1,000 pushes in 10 s are followed by %d reads", asked)
		}
		if said := b.page("/metrics"); !strings.Contains(said, `kratix_schedule_git_events_total{result="accepted"} 1001`) || !strings.Contains(said, `kratix_schedule_git_events_total{result="ignored"} 1`) {
			t.Error("the metrics do not count webhooks")
		}
	})
}

func TestWebhookBeforeTheFirstRoundIsNotReady(t *testing.T) {
	b := newBubble(t)
	onExampleState(b)
	if status := b.webhook("main"); status != http.StatusServiceUnavailable {
		t.Errorf("status %d", status)
	}
}
