package source

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/applycheck/profile"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// profile adds a profile, or the profile in a ConfigMap, to the file. It returns false for other
// objects.
func (p *ParsedFile) profile(parsed *kratix.Parsed, at finding.Place) bool {
	group, _, _ := strings.Cut(parsed.Header.APIVersion, "/")
	var read *profile.Profile
	var err error
	switch {
	case group == profile.Group && parsed.Header.Kind == profile.Kind:
		read, err = profile.ParseJSON(parsed.Other)
	case parsed.Header.APIVersion == "v1" && parsed.Header.Kind == profile.ConfigMapKind && bytes.Contains(parsed.Other, []byte(profile.Label)):
		var is bool
		if read, is, err = profileIn(parsed.Other); !is {
			return false
		}
	default:
		return false
	}
	if err != nil {
		p.findings = append(p.findings, InvalidProfile(at, err))
		return true
	}
	at.Object = kratix.Describe(read)
	p.claims = append(p.claims, &claim{origin: origin{read, at}, file: p, index: len(p.claims)})
	return true
}

// profileIn returns the profile in a ConfigMap, and false for a ConfigMap without the label of
// profiles.
func profileIn(configMap json.RawMessage) (read *profile.Profile, is bool, err error) {
	var object struct {
		Metadata   metav1.ObjectMeta `json:"metadata"`
		Data       map[string]string `json:"data"`
		BinaryData map[string][]byte `json:"binaryData"`
	}
	err = json.Unmarshal(configMap, &object)
	if _, labelled := object.Metadata.Labels[profile.Label]; err == nil && !labelled {
		return nil, false, nil
	}
	if err == nil {
		read, err = profile.Unpack(object.Data, object.BinaryData)
	}
	return read, true, err
}

// InvalidProfile returns the finding about a profile that cannot be read.
func InvalidProfile(at finding.Place, err error) finding.Finding {
	return finding.Finding{
		Rule: finding.InvalidProfile(), Place: at,
		Message: fmt.Sprintf("the profile cannot be read, so its Destination is checked without it: %s", kratix.PlainReason(err)),
	}
}

func isNewer(a, b kratix.Object) bool {
	one, isProfile := a.(*profile.Profile)
	other, same := b.(*profile.Profile)
	return isProfile && same && other.Taken.Before(&one.Taken)
}

// repeated returns the finding about an ignored object. used is the object that counts.
func repeated(ignored finding.Place, used kratix.Object, usedAt finding.Place) finding.Finding {
	rule, which := finding.RepeatedObject(), "the first one"
	if _, is := used.(*profile.Profile); is {
		rule, which = finding.UnusedProfile(), "the newer one"
	}
	return finding.Finding{
		Rule: rule, Place: ignored, Message: cmp.Or(ignored.Object, kratix.Describe(used)) + " is in the input twice; " + which + " counts",
		Related: []finding.Related{{Place: usedAt, Message: which}},
	}
}

// NewestProfiles returns the newest profile of each Destination, and findings about the others.
// name returns the name of the object of a profile.
func NewestProfiles(profiles []*profile.Profile, name func(*profile.Profile) string) (newest []*profile.Profile, others []finding.Finding) {
	best := map[string]*profile.Profile{}
	for _, p := range profiles {
		if b := best[p.Name]; b == nil || isNewer(p, b) || !isNewer(b, p) && name(p) < name(b) {
			best[p.Name] = p
		}
	}
	for _, p := range profiles {
		b := best[p.Name]
		if p == b {
			newest = append(newest, p)
			continue
		}
		f := repeated(finding.Place{Object: name(p)}, b, finding.Place{Object: name(b)})
		f.Message = kratix.Describe(p) + " is there twice; the newer one counts"
		others = append(others, f)
	}
	return newest, others
}
