package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
)

// rolloutObjects serves Rollouts, and records the body of the last change at /cluster/changed.
func rolloutObjects(mux *http.ServeMux) {
	const waves = `"waves":[{"name":"canary","destinations":1,"updated":1},{"name":"fleet","destinations":9,"reason":"it waits for the approval of r1/fleet"}]`
	promise := func(name, waves string) string {
		return `{"promiseName":"` + name + `","revision":"r1","phase":"Waiting","reason":"wave fleet",` + waves + `}`
	}
	objects := map[string]string{
		"operators": promise("redis", waves), "idle": "", "several": promise("redis", waves) + "," + promise("kafka", waves),
		"refused": promise("redis", waves), "done": promise("redis", `"waves":[{"name":"canary","destinations":1,"updated":1}]`),
	}
	promises := map[string]string{"operators": "kafka", "done": "nothing"}
	object := func(name string) string {
		return `{"metadata":{"name":"` + name + `","resourceVersion":"7","annotations":{"kratix-schedule.io/approve":"r0/fleet"}},"spec":{"works":{"promiseName":"` + promises[name] + `"}},"status":{"promises":[` + objects[name] + `]}}`
	}
	var changed atomic.Value
	mux.HandleFunc("GET /cluster/apis/kratix-schedule.io/v1alpha1/rollouts", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"items":[`+strings.Join([]string{object("operators"), object("idle")}, ",")+`]}`)
	})
	mux.HandleFunc("/cluster/apis/kratix-schedule.io/v1alpha1/rollouts/{name}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		name := r.PathValue("name")
		_, known := objects[name]
		switch {
		case !known:
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","message":"not found","reason":"NotFound","code":404}`)
		case r.Method == http.MethodPatch && name == "refused":
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","message":"you may not","reason":"Forbidden","code":403}`)
		case r.Method == http.MethodPatch:
			body, _ := io.ReadAll(r.Body) // a part is enough for the script
			changed.Store(string(body))
			_, _ = io.WriteString(w, object(name))
		default:
			_, _ = io.WriteString(w, object(name))
		}
	})
	mux.HandleFunc("GET /changed/api/v1/report", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		_, _ = fmt.Fprint(w, changed.Load())
	})
	mux.HandleFunc("GET /worksdown/apis/kratix-schedule.io/v1alpha1/rollouts/operators", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, object("operators"))
	})
	mux.HandleFunc("GET /waits/api/v1/report", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"schemaVersion":1,"tool":"kratix-schedule","rollouts":[{"name":"other"},{"name":"operators","promise":"redis","revision":"r2",`+waves+`}]}`)
	})
	mux.HandleFunc("GET /rollouts/api/v1/report", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"schemaVersion":1,"tool":"kratix-schedule","rollouts":[{"name":"operators","promise":"redis\u001b[31m","revision":"r1","phase":"Failed","reason":"in wave canary","waves":[{"name":"canary","destinations":1,"failed":1}]}]}`)
	})
}
