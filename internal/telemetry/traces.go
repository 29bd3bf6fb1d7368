package telemetry

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
	"go.uber.org/zap"
)

// Traces is a tracer provider that the environment variables of OpenTelemetry configure.
type Traces struct {
	trace.TracerProvider
	stop func(context.Context) error
}

// The environment variables that this package reads, and the supported protocol.
const (
	variableDisabled       = "OTEL_SDK_DISABLED"
	variableExporter       = "OTEL_TRACES_EXPORTER"
	variableEndpoint       = "OTEL_EXPORTER_OTLP_ENDPOINT"
	variableTracesEndpoint = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
	variableProtocol       = "OTEL_EXPORTER_OTLP_PROTOCOL"
	variableTracesProtocol = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"
	protocol               = "http/protobuf"
)

// NewTraces returns the tracer provider that the environment describes, or an error about an
// unsupported variable. version is the version of the program. log receives failures to send spans.
func NewTraces(ctx context.Context, version string, log *zap.Logger) (*Traces, error) {
	wanted, err := tracesWanted()
	if err != nil {
		return nil, err
	}
	if !wanted {
		return &Traces{TracerProvider: noop.NewTracerProvider(), stop: func(context.Context) error { return nil }}, nil
	}
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("set up traces: %w", err)
	}
	about, err := resource.New(
		ctx,
		resource.WithTelemetrySDK(),
		resource.WithAttributes(attribute.String("service.name", "kratix-schedule"), attribute.String("service.version", version)),
		resource.WithFromEnv(),
	)
	if err != nil {
		return nil, fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(&loggingExporter{SpanExporter: exporter, log: log}), sdktrace.WithResource(about))
	return &Traces{TracerProvider: provider, stop: provider.Shutdown}, nil
}

// Close sends the remaining spans until ctx ends.
func (t *Traces) Close(ctx context.Context) error { return t.stop(ctx) }

// tracesWanted reports whether the environment asks for spans. The error names an unsupported
// variable.
func tracesWanted() (bool, error) {
	if strings.EqualFold(os.Getenv(variableDisabled), "true") {
		return false, nil
	}
	endpointVariable := variableEndpoint
	if os.Getenv(variableTracesEndpoint) != "" {
		endpointVariable = variableTracesEndpoint
	}
	endpoint := os.Getenv(endpointVariable)
	switch exporter := os.Getenv(variableExporter); exporter {
	case "none":
		return false, nil
	case "":
		if endpoint == "" {
			return false, nil
		}
	case "otlp":
	default:
		return false, fmt.Errorf("%s is %q: use otlp or none", variableExporter, exporter)
	}
	if asked := cmp.Or(os.Getenv(variableTracesProtocol), os.Getenv(variableProtocol), protocol); asked != protocol {
		return false, fmt.Errorf("%s is %q: only %s is there", variableProtocol, asked, protocol)
	}
	if at, err := url.Parse(endpoint); endpoint != "" && (err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https") {
		return false, fmt.Errorf("%s is not a URL like http://127.0.0.1:4318", endpointVariable)
	}
	return true, nil
}

// loggingExporter is an exporter that logs when spans cannot be sent, and when they can be sent
// again.
type loggingExporter struct {
	sdktrace.SpanExporter
	log *zap.Logger

	mu      sync.Mutex
	failing bool
}

// ExportSpans sends spans. It returns no error, because the caller could only log it.
func (e *loggingExporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	err := e.SpanExporter.ExportSpans(ctx, spans)
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case err != nil && !e.failing:
		e.log.Warn("traces cannot be sent", zap.Error(err))
	case err == nil && e.failing:
		e.log.Info("traces are sent again")
	}
	e.failing = err != nil
	return nil
}
