package applycheck

// Memory caches the facts about files by the digest of their content, and the faults by the
// digest of the schemas, too. It has a fixed number of entries; one that is lost costs time
// and nothing else. The zero Memory is empty. It is safe for concurrent use.
type Memory struct{}
