package git

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
)

type moved struct {
	mu   sync.Mutex
	to   *url.URL
	away bool // whether a redirect was to another host
}

func (m *moved) see(response *http.Response) {
	if response.Request == nil || !strings.HasSuffix(response.Request.URL.Path, "/info/refs") {
		return
	}
	if response.StatusCode/100 != 3 {
		return
	}
	to, err := response.Location()
	if err != nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.away = m.away || to.Host != response.Request.URL.Host
	m.to = &url.URL{Scheme: to.Scheme, Host: to.Host, Path: strings.TrimSuffix(to.Path, "/info/refs")}
}

func (m *moved) elsewhere() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.away
}

func (m *moved) warning() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.to == nil {
		return ""
	}
	return "the repository has moved to " + m.to.String() + ": set spec.url to it"
}
