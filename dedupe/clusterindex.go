package dedupe

import "github.com/kratix-schedule/kratix-schedule/kustomize"

// apiObject is an object as the API server identifies it: without a version.
type apiObject struct{ group, kind, namespace, name string }

// kindOf names a kind in a group.
type kindOf struct{ group, kind string }

// apiKey returns the object that the API server takes an ID for.
func apiKey(id kustomize.ID, isClusterScoped func(kindOf) bool) apiObject {
	key := apiObject{id.Group(), id.Kind, id.Scope(), id.Name}
	if isClusterScoped(kindOf{key.group, key.kind}) {
		key.namespace = ""
	}
	return key
}

// clusterIndex counts, for each object as the API server identifies it, the
// different objects that kustomize takes it for in all roots of a Memory.
type clusterIndex struct {
	objects map[apiObject]int
	// repeated counts the objects of which there is more than one.
	repeated int
	// scopes counts the definitions of each kind that lives outside namespaces.
	scopes map[kindOf]int
	// stale means that the objects are to be counted anew.
	stale bool
}

// count adds (by 1) or removes (by -1) an entry; alone means that it is the only one of
// its identity in its root.
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
	key := apiKey(id.object, func(kind kindOf) bool { return c.scopes[kind] > 0 })
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
