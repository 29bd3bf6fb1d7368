package statestore

import "context"

type jointKey struct{}

// JointReads returns a context for reads that are made together. If several of them need the same
// request to a server, such as the stores on one branch, one request is enough: the states are not
// older than the call of JointReads.
func JointReads(ctx context.Context) context.Context {
	return context.WithValue(ctx, jointKey{}, new(joint))
}

// joint is not empty, so that all pointers to it differ.
type joint struct{ _ byte }

// JointRead identifies reads that are made together. Values can be compared with ==. The zero value
// is that of a read by itself.
type JointRead struct{ of *joint }

// JointReadOf returns the value for the reads with a context.
func JointReadOf(ctx context.Context) JointRead {
	of, _ := ctx.Value(jointKey{}).(*joint)
	return JointRead{of}
}
