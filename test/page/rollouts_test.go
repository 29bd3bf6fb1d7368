package page

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/kratix-schedule/kratix-schedule/internal/page"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

func withRollout(r page.Round) page.Round {
	r.Report.Rollouts = []report.Rollout{{
		Name: "operators", Promise: "redis", Revision: "9a8b7c6", Phase: "Failed", Reason: "wave canary: worker-1 has failed", Since: r.Ended.Add(-time.Hour),
		Waves: []report.RolloutWave{
			{Name: "canary", Destinations: 1, Updated: 1, Failed: 1, Reason: "1 of 1 Destinations has failed"},
			{Name: "rest", Destinations: 1, Reason: "it waits for wave canary"},
		},
		Destinations: []report.RolloutDestination{
			{Name: "worker-1", Wave: "canary", Updated: true, Since: r.Ended.Add(-time.Hour), Reason: "its agent reports ApplyFailed"},
			{Name: "worker-2", Wave: "rest", Reason: "it waits for wave canary"},
		},
	}}
	other := r.Report.Rollouts[0]
	other.Promise, other.Phase = "postgresql", "Waiting"
	r.Report.Rollouts = append(r.Report.Rollouts, other)
	return r
}

func TestRolloutsAreAccessible(t *testing.T) {
	axe, err := Axe()
	if err != nil {
		t.Fatal(err)
	}
	ctx := browser(t)
	_, url := served(t, withRollout(Sample()))
	for _, s := range []screen{light, dark, phone} {
		run(t, ctx, showOn(s))
		for _, path := range []string{"/rollouts", "/rollout?name=operators&promise=redis"} {
			run(t, ctx, chromedp.Navigate(url+path), chromedp.WaitReady("footer"))
			violations(t, ctx, axe, s.name+" "+path)
			if wide := evaluated[int](t, ctx, "document.documentElement.scrollWidth"); s == phone && wide > int(phone.width) {
				t.Errorf("%s is %d pixels wide", path, wide)
			}
		}
	}
}

func TestRolloutUpdatesItself(t *testing.T) {
	ctx := browser(t)
	site, url := served(t, withRollout(Sample()))
	run(t, ctx, showOn(light), chromedp.Navigate(url+"/rollouts"), chromedp.WaitReady("footer"))
	link := evaluated[string](t, ctx, "document.querySelector('article.rollout h2 a').href")
	run(t, ctx, chromedp.Navigate(link), chromedp.WaitReady("footer"))
	waitUntil(t, ctx, "the connection", "document.getElementById('connection').textContent === 'Updates by itself.'")
	later := withRollout(Sample())
	later.Report.Rollouts[0].Phase, later.Report.Rollouts[0].Reason = "Complete", ""
	site.Publish(later)
	waitUntil(t, ctx, "the end of the rollout", "document.getElementById('rollout').textContent.includes('Complete')")
}
