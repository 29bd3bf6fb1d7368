package telemetry_test

import (
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/telemetry"
)

// BenchmarkRound measures rounds with 100,000 placements, one percent of them held back.
func BenchmarkRound(b *testing.B) {
	const size = 100_000
	placements := func() []report.Placement {
		all := make([]report.Placement, size)
		for i := range all {
			all[i] = report.Placement{
				Work: fmt.Sprintf("default/work-%06d", i), Directory: ".", Destination: fmt.Sprintf("worker-%03d", i%1000),
				State: report.Unchanged, Reason: "it is there already",
			}
			if i%100 == 0 {
				all[i].State, all[i].Reason = report.HeldBack, "it would conflict"
			}
		}
		return all
	}
	base, changed := placements(), placements()
	changed[size/2+1].State = report.Placed
	for name, rounds := range map[string][]report.Report{
		"the same report":      {{Placements: base}},
		"equal reports":        {{Placements: base}, {Placements: placements()}},
		"one placement of all": {{Placements: base}, {Placements: changed}},
	} {
		b.Run(name, func(b *testing.B) {
			log := zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(io.Discard), zap.InfoLevel))
			n, m, s := telemetry.NewEventLog(log), telemetry.NewMetrics(prometheus.NewRegistry(), "v1"), telemetry.Server{}
			tell := func(r report.Report) {
				n.Round(r, nil)
				m.Round(r, nil, time.Unix(0, 0), time.Second)
				s.Round(r, nil, time.Unix(0, 0))
			}
			tell(rounds[0])
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				tell(rounds[(i+1)%len(rounds)])
			}
		})
	}
}
