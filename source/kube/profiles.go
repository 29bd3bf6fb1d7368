package kube

import (
	"cmp"
	"context"
	"slices"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"

	"github.com/kratix-schedule/kratix-schedule/applycheck/profile"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/source"
)

type profiles struct {
	*mirror[*profileMap]
	namespace string
	// waited makes only the first snapshot wait for the profiles.
	waited sync.Once
}

func newProfiles(client rest.Interface, namespace string, heard func(effect)) *profiles {
	at := scope{namespace: namespace, labels: profile.Label}
	return &profiles{namespace: namespace, mirror: newMirror(client, "configmaps", at, &sent[profileMap, *profileMap]{}, feature[*profileMap]{
		slim: (*profileMap).unpack, same: (*profileMap).sameProfile, share: func(with, m *profileMap) { m.profile = with.profile },
	}, heard)}
}

type profileMap struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Data              map[string]string `json:"data"`
	BinaryData        map[string][]byte `json:"binaryData"`
	// profile is parsed from Data and BinaryData.
	profile *profile.Profile
	wrong   error
}

func (*profileMap) KindName() string { return profile.ConfigMapKind }

func (m *profileMap) DeepCopyObject() runtime.Object {
	made := *m
	return &made
}

func (m *profileMap) unpack() {
	if m.profile != nil || m.wrong != nil {
		return
	}
	m.profile, m.wrong = profile.Unpack(m.Data, m.BinaryData)
	m.Data, m.BinaryData = nil, nil
}

func (m *profileMap) sameProfile(other *profileMap) bool {
	if m.wrong != nil || other.wrong != nil {
		return m.wrong != nil && other.wrong != nil && m.wrong.Error() == other.wrong.Error()
	}
	return m.profile.Equal(other.profile)
}

// seen returns errNotSeen until the profiles have been listed or the API server has refused that.
func (p *profiles) seen() error {
	if seen, why := p.ready(); !seen && !apierrors.IsForbidden(why) {
		return errNotSeen
	}
	return nil
}

// readProfiles returns the newest profile of each Destination, and findings about unused and
// unreadable profiles. The first call waits for the API.
func (s *Source) readProfiles(ctx context.Context) ([]*profile.Profile, []finding.Finding) {
	if s.profiles == nil {
		return nil, nil
	}
	s.profiles.waited.Do(func() { _ = s.await(ctx, secretTimeout, s.profiles.seen) }) // a failure is reported below
	if seen, why := s.profiles.ready(); !seen {
		f := source.InvalidProfile(finding.Place{Object: profile.ConfigMapKind + " " + s.profiles.namespace}, cmp.Or(why, errNotSeen))
		f.Rule.Severity, f.Message = finding.Warning, "profiles cannot be read, so all Destinations are checked without: "+cmp.Or(why, errNotSeen).Error()
		f.Fix = "Let the ServiceAccount list and watch ConfigMaps in the namespace " + s.profiles.namespace + ", as deploy/base does; or set --profile-namespace, or --check-apply off."
		return nil, []finding.Finding{f}
	}
	var read []*profile.Profile
	var findings []finding.Finding
	from := map[*profile.Profile]string{}
	for _, m := range s.profiles.stable() {
		if m.wrong != nil {
			findings = append(findings, source.InvalidProfile(finding.Place{Object: kratix.Describe(m)}, m.wrong))
			continue
		}
		read, from[m.profile] = append(read, m.profile), kratix.Describe(m)
	}
	for object, wrong := range s.profiles.unreadable() {
		findings = append(findings, source.InvalidProfile(finding.Place{Object: kratix.Describe(object)}, wrong))
	}
	newest, others := source.NewestProfiles(read, func(p *profile.Profile) string { return from[p] })
	return newest, slices.Concat(findings, others)
}
