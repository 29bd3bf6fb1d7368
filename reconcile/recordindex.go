package reconcile

import "github.com/kratix-schedule/kratix-schedule/tree"

// recordIndex finds the records of a Destination by their paths.
type recordIndex map[tree.Path]int

// recordAt returns the record that lies at a path. The index is made at the first
// call: from then on the records must not change.
func (dest *desiredDestination) recordAt(path tree.Path) (recordView, bool) {
	if dest.recordsByPath == nil {
		dest.recordsByPath = make(recordIndex, len(dest.records))
		for i, record := range dest.records {
			if _, taken := dest.recordsByPath[record.path]; !taken {
				dest.recordsByPath[record.path] = i
			}
		}
	}
	i, found := dest.recordsByPath[path]
	if !found {
		return recordView{}, false
	}
	return dest.records[i], true
}
