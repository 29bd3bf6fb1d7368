package status

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/agent"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
)

func (s *fixture) requests() string {
	s.t.Helper()
	var lines []string
	for _, r := range Requests(s.said, s.now, s.mode, s.selects) {
		text, err := json.Marshal(r.Status)
		if err != nil {
			s.t.Fatal(err)
		}
		lines = append(lines, r.Promise+" "+r.Key.String()+" "+string(text))
	}
	return strings.Join(lines, "\n")
}

func (s *fixture) expectRequests(want string) {
	s.t.Helper()
	if got := s.requests(); got != want {
		s.t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

const (
	requestA = `redis default/a {"destinations":[{"name":"worker-1","path":"worker-1/resources/default/redis/a/5058f","revision":"c0ffee"`
	refusal  = "revision 2: ConfigMap/a/x dry-run failed: no"
)

func TestRequestLearnsWhereItIsAndWhetherItIsHealthy(t *testing.T) {
	s := newFixture(t)
	s.expectRequests(requestA + `}]}`) // the round that writes the placement
	s.plan()
	s.expectRequests(requestA + `}]}`)

	s.placed(report.Unchanged)
	s.delivered(report.Delivery{State: agent.State{Applied: agent.Mark{Revision: "1", Time: noon.Time}}})
	s.plan()
	s.expectRequests(requestA + `,"applied":"True","healthy":"Unknown"}]}`)
	s.delivered(report.Delivery{State: healthy("1")})
	s.plan()
	s.expectRequests(requestA + `,"applied":"True","healthy":"True"}]}`)

	s.delivered(report.Delivery{State: healthy("9")}) // as after a restart of the process
	s.said.Deliveries[0].AppliedKnown, s.said.Deliveries[0].HealthyKnown = false, false
	s.plan()
	s.expectRequests(requestA + `,"applied":"True","healthy":"True"}]}`)

	state := healthy("1")
	state.Failure = &agent.Failure{Revision: "2", Outcome: agent.ApplyFailed, Message: "ConfigMap/a/x dry-run failed: no", Since: noon.Add(time.Minute)}
	owner := report.Claimant{Placement: kratix.KeyOf(s.said.Placements[0].Object), Work: "default/a"}
	changed := map[kratix.Key]bool{owner.Placement: true}
	s.delivered(report.Delivery{State: state, Failing: []report.Claimant{owner}, Unapplied: changed, Unchecked: changed})
	s.expectRequests(requestA + `,"applied":"False","healthy":"Unknown","message":"` + refusal + `"}]}`)
}

func TestHeldBackRequestLearnsWhy(t *testing.T) {
	s := newFixture(t)
	s.placed(report.HeldBack)
	s.said.Findings = []finding.Finding{{
		Rule: finding.DuplicateObject(), Place: finding.Place{Object: "Work default/a", File: "x.yaml", Line: 3}, Message: "ConfigMap default/x\x1b is there already",
		Related: []finding.Related{{Place: finding.Place{Object: "Work default/b", File: "y.yaml"}, Message: "request default/b of Promise redis"}}, Fix: "Rename it.",
	}}
	const held = `"heldBack":{"reason":"DuplicateResources","message":"ConfigMap default/x\\x1b is there already",` +
		`"object":"Work default/a, x.yaml:3","owner":"Work default/b: request default/b of Promise redis","fix":"Rename it."}}`
	s.expectRequests(`redis default/a {` + held)
	s.said.Findings = append(s.said.Findings, s.said.Findings...)
	s.expectRequests(`redis default/a {` + strings.TrimSuffix(held, "}}") + `,"more":1}}`)

	s.said.Findings = s.said.Findings[:1]
	s.said.Placements[0].Written = true
	s.now.WorkPlacements = []*kratix.WorkPlacement{testkit.Placement(s.now.Works[0], "worker-1")}
	s.now.WorkPlacements[0].Status.VersionID = "c0ffee"
	s.expectRequests(requestA + `}],` + held)

	s.said.Findings = nil
	s.said.Placements[0].Written = false
	s.expectRequests(`redis default/a {"heldBack":{"reason":"HeldBack","message":"because","object":"Work default/a"}}`)
}

func TestOnlyOwnRequestsAreWritten(t *testing.T) {
	for name, change := range map[string]func(s *fixture, work *kratix.Work){
		"a Work that names another namespace": func(_ *fixture, work *kratix.Work) {
			work.Labels = map[string]string{kratix.ResourceNamespaceLabel: "other"}
		},
		"a dry run of Kratix":          func(_ *fixture, work *kratix.Work) { work.Labels = map[string]string{kratix.DryRunLabel: "true"} },
		"a Promise's dependencies":     func(_ *fixture, work *kratix.Work) { work.Spec.ResourceName = "" },
		"a Work that is being deleted": func(_ *fixture, work *kratix.Work) { work.DeletionTimestamp = &metav1.Time{Time: noon.Time} },
		"a Work of another shard":      func(s *fixture, _ *kratix.Work) { s.selects = func(map[string]string) bool { return false } },
		"beside another scheduler": func(s *fixture, _ *kratix.Work) {
			s.said.Findings = []finding.Finding{{Rule: finding.OtherScheduler()}}
		},
		"a store that is down":        func(s *fixture, _ *kratix.Work) { s.said.Placements[0].State = report.Failed },
		"a write that is in progress": func(s *fixture, _ *kratix.Work) { s.said.Placements[0].State = report.Pending },
		"a placement that is not in the report": func(s *fixture, _ *kratix.Work) {
			s.said.Placements = nil
		},
	} {
		s := newFixture(t)
		s.plan()
		if s.requests() == "" {
			t.Fatal("the request is not written at all")
		}
		change(s, s.now.Works[0])
		if got := s.requests(); got != "" {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestRequestWithSeveralWorksHasAllPlacements(t *testing.T) {
	s := newFixture(t)
	other := testkit.Request("a", testkit.WithPipeline("second"))
	other.Name, other.UID = "a-second", "uid-b"
	s.now.Works = append(s.now.Works, other)
	s.said.Placements = append(s.said.Placements, report.Placement{Work: "default/a-second", Directory: "gateway", Destination: "worker-1", State: report.Placed, Object: testkit.Placement(other, "worker-1")})
	s.plan()
	s.expectRequests(requestA + `},{"name":"worker-1","directory":"gateway","path":"worker-1/resources/default/redis/a/second/5058f","revision":"c0ffee"}]}`)
	if got := Requests(s.said, s.now, s.mode, s.selects)[0].Works; len(got) != 2 || got[0] != (RequestWork{"a", "uid-a"}) {
		t.Errorf("%q", got)
	}
}
