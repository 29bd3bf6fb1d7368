package telemetry

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

// Observer measures and traces rounds, their stages, and the reads and writes of stores.
type Observer struct {
	metrics *Metrics
	tracer  trace.Tracer
	now     func() time.Time
}

// NewObserver returns an Observer. now returns the current time.
func NewObserver(metrics *Metrics, traces trace.TracerProvider, now func() time.Time) *Observer {
	return &Observer{metrics: metrics, tracer: traces.Tracer("github.com/kratix-schedule/kratix-schedule"), now: now}
}

// The attributes of spans.
const (
	attributeStore      = attribute.Key(namespace + ".store")
	attributeRevision   = attribute.Key(namespace + ".revision")
	attributeFiles      = attribute.Key(namespace + ".files")
	attributeWritten    = attribute.Key(namespace + ".files.written")
	attributeRemoved    = attribute.Key(namespace + ".files.removed")
	attributeBytes      = attribute.Key(namespace + ".bytes")
	attributePlacements = attribute.Key(namespace + ".placements")
	attributeFindings   = attribute.Key(namespace + ".findings")
)

// Round begins a round. The round must run with the returned context, and done must be called with
// the result of the round.
func (o *Observer) Round(ctx context.Context) (inner context.Context, done func(report.Report, error)) {
	began := o.now()
	inner, span := o.tracer.Start(ctx, "round")
	return inner, func(r report.Report, err error) {
		ended := o.now()
		o.metrics.Round(r, err, ended, ended.Sub(began))
		span.SetAttributes(attributePlacements.Int(len(r.Placements)), attributeFindings.Int(len(r.Findings)))
		end(span, err)
	}
}

// Stage begins a stage. The stage must run with the returned context, and done must be called with
// the error of the stage or nil.
func (o *Observer) Stage(ctx context.Context, stage string) (inner context.Context, done func(error)) {
	began := o.now()
	inner, span := o.tracer.Start(ctx, stage)
	return inner, func(err error) {
		o.metrics.Stage(stage, o.now().Sub(began))
		end(span, err)
	}
}

func end(span trace.Span, err error) {
	if err != nil {
		span.RecordError(err)
		span.SetStatus(codes.Error, err.Error())
	}
	span.End()
}
