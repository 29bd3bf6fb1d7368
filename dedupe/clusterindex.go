package dedupe

import "github.com/kratix-schedule/kratix-schedule/kustomize"

// apiObject is an object as the API server identifies it: without a version.
type apiObject struct{ group, kind, namespace, name string }

type kindOf struct{ group, kind string }

func apiObjectOf(id kustomize.ID, scopes map[kindOf]int) apiObject {
	object := apiObject{id.Group(), id.Kind, id.Scope(), id.Name}
	if scopes[kindOf{object.group, object.kind}] > 0 {
		object.namespace = ""
	}
	return object
}

// clusterIndex counts the identities of each API object in all roots of a CheckCache.
type clusterIndex struct {
	objects  map[apiObject]int
	repeated int
	scopes   map[kindOf]int
	stale    bool
}

// count adds an entry if by is 1, and removes it if by is -1. alone means that no other entry in
// its root has the same identity.
func (c *clusterIndex) count(e *entry, alone bool, by int) {
	c.countScope(e, by)
	if alone {
		c.countObject(e.id, by)
	}
}

func (c *clusterIndex) countScope(e *entry, by int) {
	if e.defines == nil || !e.defines.ClusterScoped {
		return
	}
	if c.scopes == nil {
		c.scopes = map[kindOf]int{}
	}
	kind := kindOf{e.defines.Group, e.defines.Kind}
	before := c.scopes[kind]
	c.scopes[kind] = before + by
	c.stale = c.stale || before == 0 || before+by == 0
}

func (c *clusterIndex) countObject(id identity, by int) {
	if c.stale || id.isPath() {
		return
	}
	if c.objects == nil {
		c.objects = map[apiObject]int{}
	}
	key := apiObjectOf(id.object, c.scopes)
	before := c.objects[key]
	after := before + by
	if after == 0 {
		delete(c.objects, key)
	} else {
		c.objects[key] = after
	}
	if before < 2 && after >= 2 {
		c.repeated++
	}
	if before >= 2 && after < 2 {
		c.repeated--
	}
}
