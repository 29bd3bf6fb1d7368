// A real API server with the definitions of Flux and Argo CD, and the libraries of Argo CD's
// notifications, judge the output of `kratix-schedule agent`. It is a module of its own, so that
// the program's module does not depend on them:
//
//	make agents
module github.com/kratix-schedule/kratix-schedule/test/agents

go 1.26.0

require (
	github.com/Masterminds/sprig/v3 v3.3.0
	github.com/expr-lang/expr v1.16.9
	github.com/kratix-schedule/kratix-schedule v0.0.0
	sigs.k8s.io/yaml v1.6.0
)

require (
	dario.cat/mergo v1.0.1 // indirect
	github.com/Masterminds/goutils v1.1.1 // indirect
	github.com/Masterminds/semver/v3 v3.3.0 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/huandu/xstrings v1.5.0 // indirect
	github.com/mitchellh/copystructure v1.2.0 // indirect
	github.com/mitchellh/reflectwalk v1.0.2 // indirect
	github.com/shopspring/decimal v1.4.0 // indirect
	github.com/spf13/cast v1.7.0 // indirect
	go.yaml.in/yaml/v2 v2.4.4 // indirect
	golang.org/x/crypto v0.57.0 // indirect
)

replace github.com/kratix-schedule/kratix-schedule => ../..
