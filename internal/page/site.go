package page

import (
	"context"
	"embed"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/components"
)

//go:embed templates
var templateFiles embed.FS

//go:embed static
var staticFiles embed.FS

const policy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// patience is the maximum time for the explanation, the files and the history of a page.
const patience = 10 * time.Second

func pageTemplates() *template.Template {
	return template.Must(components.Templates().ParseFS(templateFiles, "templates/*.tmpl"))
}

type serveFunc func(http.ResponseWriter, *http.Request, *template.Template)

// Register adds the pages to a mux. They are read-only.
func (s *Site) Register(mux *http.ServeMux) {
	templates := pageTemplates()
	page := func(path string, serve serveFunc) {
		mux.Handle("GET "+path, guarded(func(w http.ResponseWriter, r *http.Request) { serve(w, r, templates) }))
	}
	page("/{$}", s.listed("Overview", "/", "overview", func(now *state, l layout, q Query) any { return now.overview(l, q) }))
	page("/placements", s.listed("Placements", "/placements", "placements", func(now *state, l layout, q Query) any { return now.placements(l, q) }))
	page("/problems", s.listed("Problems", "/problems", "problems", func(now *state, l layout, q Query) any { return now.problems(l, q) }))
	page("/rollouts", s.listed("Rollouts", "/rollouts", "rollouts", func(now *state, l layout, q Query) any { return now.rollouts(l, q) }))
	page("/rollout", s.rollout)
	page("/placement", s.one)
	page("/history", s.history)
	mux.Handle("GET /events", guarded(s.events))
	mux.Handle("GET /static/{name}", guarded(static()))
}

// guarded sets headers that keep a browser from loading anything that is not part of the page.
func guarded(serve http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", policy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("Cache-Control", "no-store")
		serve(w, r)
	})
}

func static() http.HandlerFunc {
	files := map[string][]byte{"style.css": []byte(components.Style())}
	for _, name := range []string{"page.js", "icon.svg"} {
		content, err := fs.ReadFile(staticFiles, "static/"+name)
		if err != nil {
			panic(err) // the file is embedded
		}
		files[name] = content
	}
	types := map[string]string{"style.css": "text/css; charset=utf-8", "page.js": "text/javascript; charset=utf-8", "icon.svg": "image/svg+xml"}
	return func(w http.ResponseWriter, r *http.Request) {
		content, known := files[r.PathValue("name")]
		if !known {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", types[r.PathValue("name")])
		w.Header().Set("Cache-Control", "no-cache")
		_, _ = w.Write(content) // the client may have disconnected
	}
}

func (s *Site) layoutOf(title, here string) (layout, *state) {
	l := layout{Title: components.Line(title, components.LongestName), Here: here, Version: s.Version}
	now := s.last.Load()
	if now != nil {
		l.Failure, l.Updated, l.HasRollouts = now.Failure, instant(now.Ended), len(now.Report.Rollouts) > 0
	}
	switch {
	case now != nil && !now.Ended.IsZero():
		return l, now
	case s.standby.Load():
		l.Waiting = "Another replica runs the rounds, so this one has no report. Open the page of the replica that holds the Lease."
	default:
		l.Waiting = "No round has been done yet. This page shows the result as soon as there is one."
	}
	return l, nil
}

// send writes a template as the response. If now is nil, it writes a page that says that there is
// no report.
func send(w http.ResponseWriter, templates *template.Template, name string, now *state, data any, l layout) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if now == nil {
		name, data = "waiting", l
	}
	_ = templates.ExecuteTemplate(w, name, data) // the client may have disconnected
}

func (s *Site) listed(title, path, name string, data func(*state, layout, Query) any) serveFunc {
	return func(w http.ResponseWriter, r *http.Request, templates *template.Template) {
		l, now := s.layoutOf(title, path)
		var content any
		if now != nil {
			content = data(now, l, ParseQuery(r.URL.Query()))
		}
		send(w, templates, name, now, content, l)
	}
}

// one serves the page of a placement, with the slow parts last.
func (s *Site) one(w http.ResponseWriter, r *http.Request, templates *template.Template) {
	wanted := placementOf(r.URL.Query())
	l, now, i := s.lookUp(w, wanted, wanted.Work, "/placement", templates)
	if i < 0 {
		return
	}
	send(w, templates, "placement", now, now.placement(l, i), l)
	_ = http.NewResponseController(w).Flush() // the rest of the page comes later
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	p := now.Report.Placements[i]
	_ = templates.ExecuteTemplate(w, "explanation", s.explain(ctx, now, i))
	_ = templates.ExecuteTemplate(w, "files", s.filesOf(ctx, now, p))
	_ = templates.ExecuteTemplate(w, "end", l)
}

// lookUp returns the index of a placement in the report. If there is none, it sends a page that
// says so, and returns -1.
func (s *Site) lookUp(w http.ResponseWriter, wanted Placement, title, path string, templates *template.Template) (l layout, now *state, i int) {
	l, now = s.layoutOf(title, path)
	if now == nil {
		send(w, templates, "", now, nil, l)
		return l, now, -1
	}
	if i = now.find(wanted); i < 0 {
		if wanted.Work != "" {
			l.Search = "/placements?" + url.Values{"q": {wanted.Work}}.Encode()
		}
		notFound(w, templates, l, "There is no such placement now. It may have been removed, or its Work was placed elsewhere.")
	}
	return l, now, i
}

func notFound(w http.ResponseWriter, templates *template.Template, l layout, text string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusNotFound)
	l.Waiting = text
	_ = templates.ExecuteTemplate(w, "waiting", l) // the client may have disconnected
}

// explain returns the explanation of a placement. Calls wait for each other, because each plans the
// whole input.
func (s *Site) explain(ctx context.Context, now *state, i int) explanation {
	if !s.plans.take(ctx) {
		return explanation{Missing: "too many readers want an explanation; load the page again"}
	}
	defer s.plans.give()
	return now.explain(now.Report.Placements[i])
}
