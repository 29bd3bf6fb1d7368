package statestore

import "context"

type jointKey struct{}

// JointReads returns a context for reads that are made together. They may share a request to a
// server.
func JointReads(ctx context.Context) context.Context {
	return context.WithValue(ctx, jointKey{}, new(joint))
}

// joint is not empty, so that all pointers to it differ.
type joint struct{ _ byte }

// JointRead identifies reads that are made together. The zero value is for a read by itself.
type JointRead struct{ of *joint }

// JointReadOf returns the JointRead of a context.
func JointReadOf(ctx context.Context) JointRead {
	of, _ := ctx.Value(jointKey{}).(*joint)
	return JointRead{of}
}
