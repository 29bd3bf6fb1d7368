package apply

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/applycheck"
	"github.com/kratix-schedule/kratix-schedule/dedupe"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// Destination is the input of applycheck, without the object to check.
type Destination struct {
	Cluster *applycheck.Cluster
	// Beside contains the files in the root dependencies.
	Beside map[string][]byte
	memory applycheck.Memory
	state  applycheck.State
}

// Foresight is the result of applycheck for the files of some requests.
type Foresight struct {
	// Quarantined contains the reasons why claims are quarantined, one per line, or is empty.
	Quarantined string
	// Findings are the findings about the root resources, including warnings.
	Findings []finding.Finding
}

// Words returns the messages of the findings, one per line.
func (f Foresight) Words() string {
	var b strings.Builder
	for _, found := range f.Findings {
		b.WriteString(found.Rule.ID + " " + found.Message + " | " + found.Flux + "\n")
	}
	return b.String()
}

// Claim contains the stored and the wanted content of a file of a request, or nil for no file.
type Claim struct{ Stored, Wanted []byte }

// Foresee returns the result of applycheck for a request whose file changes from stored to wanted.
// stored may be nil.
func (d *Destination) Foresee(stored, wanted []byte) Foresight {
	return d.ForeseeAll(Claim{stored, wanted})
}

// ForeseeAll returns the result of applycheck for files of several requests in one root.
func (d *Destination) ForeseeAll(claims ...Claim) Foresight {
	resources, beside := dedupe.Root{Path: parse("d/resources")}, dedupe.Root{Path: parse("d/dependencies")}
	for i, claim := range claims {
		work, dir := fmt.Sprint("Work default/w", i), fmt.Sprint("d/resources/w", i)
		file := func(content []byte) []dedupe.File {
			if content == nil {
				return nil
			}
			return []dedupe.File{{File: tree.File{Path: parse(dir + "/o.yaml"), Content: content}, Place: finding.Place{Object: work, File: dir + "/o.yaml"}}}
		}
		resources.Claims = append(resources.Claims, dedupe.Claim{Object: work, Owner: work, Dir: parse(dir), Wanted: file(claim.Wanted), Stored: file(claim.Stored)})
	}
	for _, name := range slices.Sorted(maps.Keys(d.Beside)) {
		path := "d/dependencies/" + name
		beside.Foreign = append(beside.Foreign, dedupe.File{File: tree.File{Path: parse(path), Content: d.Beside[name]}, Place: finding.Place{File: path}})
	}
	in := applycheck.Input{Cluster: d.Cluster, Memory: &d.memory, State: &d.state, Roots: []dedupe.Root{beside, resources}}
	var f Foresight
	for _, step := range []func(applycheck.Input) []applycheck.Verdict{applycheck.CheckClaims, applycheck.CheckRoots} {
		verdict := step(in)[1]
		f.Findings = append(f.Findings, verdict.Findings...)
		for i := range resources.Claims {
			if why := verdict.Quarantined[i].Reason; why != "" {
				f.Quarantined += why + "\n"
				resources.Claims[i].Kept = true
			}
		}
	}
	return f
}

func parse(path string) tree.Path {
	p, err := tree.ParsePath(path)
	if err != nil {
		panic(err)
	}
	return p
}
