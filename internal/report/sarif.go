package report

import (
	"bufio"
	"cmp"
	"encoding/json"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
)

// These types are the elements of SARIF 2.1.0 that are used here.
type (
	sarifText struct {
		Text string `json:"text"`
	}
	sarifRule struct {
		ID               string      `json:"id"`
		Name             string      `json:"name"`
		ShortDescription sarifText   `json:"shortDescription"`
		FullDescription  sarifText   `json:"fullDescription"`
		Help             sarifText   `json:"help"`
		HelpURI          string      `json:"helpUri"`
		Default          sarifConfig `json:"defaultConfiguration"`
	}
	sarifConfig struct {
		Level string `json:"level"`
	}
	sarifResult struct {
		RuleID       string            `json:"ruleId"`
		RuleIndex    int               `json:"ruleIndex"`
		Level        string            `json:"level"`
		Message      sarifText         `json:"message"`
		Locations    []sarifLocation   `json:"locations"`
		Related      []sarifLocation   `json:"relatedLocations,omitempty"`
		Fingerprints map[string]string `json:"partialFingerprints,omitempty"`
	}
	sarifLocation struct {
		ID       *int           `json:"id,omitempty"`
		Physical *sarifPhysical `json:"physicalLocation"`
		Logical  []sarifLogical `json:"logicalLocations,omitempty"`
		Message  *sarifText     `json:"message,omitempty"`
	}
	sarifPhysical struct {
		Artifact struct {
			URI string `json:"uri"`
		} `json:"artifactLocation"`
		Region *sarifRegion `json:"region,omitempty"`
	}
	sarifRegion struct {
		StartLine int `json:"startLine"`
	}
	sarifLogical struct {
		Name string `json:"fullyQualifiedName"`
		Kind string `json:"kind,omitempty"`
	}
)

const (
	sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
	projectURL  = "https://github.com/kratix-schedule/kratix-schedule"
	rulesURL    = projectURL + "/blob/main/docs/reference/rules.md"
)

// SARIF writes findings as a SARIF 2.1.0 log.
func SARIF(w io.Writer, d Document) error {
	out := bufio.NewWriter(w)
	rules := sarifRules()
	driver, err := json.Marshal(struct {
		Name    string      `json:"name"`
		Version string      `json:"version"`
		URI     string      `json:"informationUri"`
		Rules   []sarifRule `json:"rules"`
	}{toolName, cmp.Or(d.Version, "dev"), projectURL, rules})
	if err != nil {
		return err
	}
	printf(out, "{\"$schema\": %q, \"version\": \"2.1.0\", \"runs\": [{\n", sarifSchema)
	printf(out, "\"tool\": {\"driver\": %s},\n\"columnKind\": \"unicodeCodePoints\",\n", driver)
	if err := list(out, "results", d.Findings, func(f finding.Finding) sarifResult { return d.sarif(f, rules) }); err != nil {
		return err
	}
	printf(out, "}]}\n")
	return out.Flush()
}

func sarifRules() []sarifRule {
	var rules []sarifRule
	for _, rule := range finding.Rules() {
		rules = append(rules, sarifRule{
			ID: rule.ID, Name: rule.Name, ShortDescription: sarifText{rule.Summary}, FullDescription: sarifText{rule.Why},
			Help: sarifText{rule.Fix}, HelpURI: rulesURL + "#" + strings.ToLower(rule.ID+"-"+rule.Name),
			Default: sarifConfig{rule.Severity.String()},
		})
	}
	return rules
}

func (d Document) sarif(f finding.Finding, rules []sarifRule) sarifResult {
	text := f.Message + "\n" + f.Advice()
	if f.Flux != "" {
		text += "\nFlux: " + f.Flux
	}
	result := sarifResult{
		RuleID: f.Rule.ID, RuleIndex: slices.IndexFunc(rules, func(r sarifRule) bool { return r.ID == f.Rule.ID }),
		Level: f.Rule.Severity.String(), Message: sarifText{text},
		Locations:    []sarifLocation{d.sarifLocation(f.Place)},
		Fingerprints: map[string]string{"kratixSchedule/v1": f.Fingerprint()},
	}
	for i, related := range f.Related {
		location := d.sarifLocation(related.Place)
		location.ID, location.Message = &i, &sarifText{related.Place.String() + " (" + related.Message + ")"}
		result.Related = append(result.Related, location)
	}
	return result
}

// nowhere is the file of findings without a file, because code scanning requires a file.
const nowhere = ".kratix-schedule.yaml"

func (d Document) sarifLocation(p finding.Place) sarifLocation {
	spot := d.position(p)
	if spot.File == "" {
		spot = Position{File: cmp.Or(p.File, nowhere), Line: p.Line}
	}
	physical := &sarifPhysical{}
	physical.Artifact.URI = (&url.URL{Path: strings.TrimPrefix(spot.File, "./")}).String()
	if spot.Line > 0 {
		physical.Region = &sarifRegion{StartLine: spot.Line}
	}
	location := sarifLocation{Physical: physical}
	if name := p.String(); name != "" {
		location.Logical = []sarifLogical{{Name: name, Kind: "resource"}}
	}
	return location
}
