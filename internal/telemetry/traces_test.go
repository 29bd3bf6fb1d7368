package telemetry

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"google.golang.org/protobuf/proto"

	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

type spanCollector struct {
	*httptest.Server
	mu       sync.Mutex
	status   int
	requests []*collector.ExportTraceServiceRequest
}

func newSpanCollector(t *testing.T) *spanCollector {
	r := &spanCollector{status: http.StatusOK}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		if err != nil {
			t.Error(err)
		}
		got := &collector.ExportTraceServiceRequest{}
		if err := proto.Unmarshal(body, got); err != nil || request.URL.Path != "/v1/traces" || request.Method != http.MethodPost {
			t.Errorf("%s %s: %v", request.Method, request.URL.Path, err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.requests = append(r.requests, got)
		w.Header().Set("Content-Type", "application/x-protobuf")
		w.WriteHeader(r.status)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *spanCollector) received() (spans, resource []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, request := range r.requests {
		for _, of := range request.GetResourceSpans() {
			for _, a := range of.GetResource().GetAttributes() {
				resource = append(resource, a.GetKey()+"="+a.GetValue().GetStringValue())
			}
			for _, scope := range of.GetScopeSpans() {
				for _, span := range scope.GetSpans() {
					spans = append(spans, span.GetName())
				}
			}
		}
	}
	return spans, resource
}

func unsetTraceVariables(t *testing.T) {
	for _, name := range []string{
		variableDisabled, variableExporter, variableEndpoint, variableTracesEndpoint, variableProtocol, variableTracesProtocol,
		"OTEL_RESOURCE_ATTRIBUTES", "OTEL_SERVICE_NAME", "OTEL_TRACES_SAMPLER", "OTEL_EXPORTER_OTLP_HEADERS",
	} {
		t.Setenv(name, "")
	}
}

func traceRound(t *testing.T, traces *Traces) {
	t.Helper()
	o := NewObserver(NewMetrics(prometheus.NewRegistry(), "v1"), traces, func() time.Time { return time.Unix(0, 0) })
	ctx, done := o.Round(t.Context())
	_, stage := o.Stage(ctx, "source")
	stage(nil)
	done(report.Report{}, nil)
}

func TestSpansAreSentWhereTheEnvironmentSays(t *testing.T) {
	for name, c := range map[string]struct {
		set  map[string]string
		sent bool
	}{
		"nothing set":               {map[string]string{}, false},
		"an endpoint":               {map[string]string{variableEndpoint: "URL"}, true},
		"an endpoint of traces":     {map[string]string{variableTracesEndpoint: "URL/v1/traces"}, true},
		"an exporter and endpoint":  {map[string]string{variableExporter: "otlp", variableEndpoint: "URL", variableProtocol: "http/protobuf"}, true},
		"no exporter":               {map[string]string{variableExporter: "none", variableEndpoint: "URL"}, false},
		"all of it disabled":        {map[string]string{variableDisabled: "true", variableExporter: "otlp", variableEndpoint: "URL"}, false},
		"a sampler that takes none": {map[string]string{variableEndpoint: "URL", "OTEL_TRACES_SAMPLER": "always_off"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			unsetTraceVariables(t)
			r := newSpanCollector(t)
			for key, value := range c.set {
				t.Setenv(key, strings.ReplaceAll(value, "URL", r.URL))
			}
			t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "team=platform")
			traces, err := NewTraces(t.Context(), "v1", zap.NewNop())
			if err != nil {
				t.Fatal(err)
			}
			traceRound(t, traces)
			if err := traces.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			spans, resource := r.received()
			if !c.sent {
				if len(spans) > 0 {
					t.Errorf("sent %q", spans)
				}
				return
			}
			if !slices.Equal(spans, []string{"source", "round"}) {
				t.Errorf("sent %q", spans)
			}
			for _, want := range []string{"service.name=kratix-schedule", "service.version=v1", "team=platform"} {
				if !slices.Contains(resource, want) {
					t.Errorf("no %s in %q", want, resource)
				}
			}
		})
	}
}

func TestEnvironmentNamesTheService(t *testing.T) {
	unsetTraceVariables(t)
	r := newSpanCollector(t)
	t.Setenv(variableEndpoint, r.URL)
	t.Setenv("OTEL_SERVICE_NAME", "scheduler-of-team-a")
	traces, err := NewTraces(t.Context(), "v1", zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	traceRound(t, traces)
	if err := traces.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, resource := r.received(); !slices.Contains(resource, "service.name=scheduler-of-team-a") {
		t.Errorf("the service is not named as asked: %q", resource)
	}
}

func TestVariablesThatCannotBeFollowedAreNamed(t *testing.T) {
	for want, set := range map[string]map[string]string{
		`OTEL_TRACES_EXPORTER is "zipkin": use otlp or none`:                         {variableExporter: "zipkin"},
		`OTEL_EXPORTER_OTLP_PROTOCOL is "grpc": only http/protobuf is there`:         {variableExporter: "otlp", variableProtocol: "grpc"},
		`OTEL_EXPORTER_OTLP_ENDPOINT is not a URL like http://127.0.0.1:4318`:        {variableEndpoint: "collector:4318"},
		`OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is not a URL like http://127.0.0.1:4318`: {variableTracesEndpoint: "//user:hunter2@"},
	} {
		unsetTraceVariables(t)
		for key, value := range set {
			t.Setenv(key, value)
		}
		if _, err := NewTraces(t.Context(), "v1", zap.NewNop()); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestCollectorThatFailsIsReportedOnce(t *testing.T) {
	unsetTraceVariables(t)
	r := newSpanCollector(t)
	t.Setenv(variableEndpoint, r.URL)
	core, logs := observer.New(zap.DebugLevel)
	traces, err := NewTraces(t.Context(), "v1", zap.New(core))
	if err != nil {
		t.Fatal(err)
	}
	flush, ok := traces.TracerProvider.(interface{ ForceFlush(context.Context) error })
	if !ok {
		t.Fatal("spans cannot be flushed")
	}
	for _, status := range []int{http.StatusBadRequest, http.StatusBadRequest, http.StatusOK, http.StatusOK} {
		r.mu.Lock()
		r.status = status
		r.mu.Unlock()
		traceRound(t, traces)
		if err := flush.ForceFlush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	var messages []string
	for _, entry := range logs.All() {
		messages = append(messages, entry.Message)
	}
	if !slices.Equal(messages, []string{"traces cannot be sent", "traces are sent again"}) {
		t.Errorf("got %q", messages)
	}
	if err := traces.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
