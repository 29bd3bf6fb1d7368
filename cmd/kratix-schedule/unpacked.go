package main

import (
	"errors"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/kratix-schedule/kratix-schedule/reconcile"
)

type unpackedFlag struct{ most byteSize }

func (f *unpackedFlag) add(c *cobra.Command) {
	f.most = byteSize(unpackedDefault(memoryLimit(os.Getenv("GOMEMLIMIT"))))
	c.Flags().Var(&f.most, "max-unpacked", "how many bytes the unpacked files of all Works may have together; beyond that the largest Works of the namespace with the most bytes are left as they are; by default half of GOMEMLIMIT if that is set")
}

// byteSize is a number of bytes, in the notation of a Pod's resources.
type byteSize int64

var _ pflag.Value = (*byteSize)(nil)

func (s *byteSize) String() string {
	return resource.NewQuantity(int64(*s), resource.BinarySI).String()
}

func (s *byteSize) Type() string { return "bytes" }

func (s *byteSize) Set(text string) error {
	quantity, err := resource.ParseQuantity(text)
	if err != nil || quantity.Value() <= 0 {
		return errors.New("it must be a number of bytes, such as 512Mi")
	}
	*s = byteSize(quantity.Value())
	return nil
}

// unpackedDefault returns half of a memory limit, or a constant without a limit.
func unpackedDefault(limit int64) int64 {
	if limit <= 0 {
		return reconcile.DefaultMaxUnpacked
	}
	return limit / 2
}
