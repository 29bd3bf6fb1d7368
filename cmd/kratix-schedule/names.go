package main

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// nameFlag is the value of --allow-name: patterns of reserved names that Works may use.
type nameFlag []string

var (
	_ pflag.Value      = (*nameFlag)(nil)
	_ pflag.SliceValue = (*nameFlag)(nil)
)

func (f *nameFlag) add(c *cobra.Command) {
	c.Flags().Var(f, "allow-name", "reserved name that Works may use in their files, such as .gitignore, or a pattern of names; may be repeated; .kratix stays reserved")
}

func (f *nameFlag) String() string { return "[" + strings.Join(*f, ",") + "]" }

func (f *nameFlag) Set(pattern string) error {
	if _, err := path.Match(pattern, ""); err != nil || pattern == "" || strings.Contains(pattern, "/") {
		return fmt.Errorf("%q is not a name, or a pattern of one such as .git*", pattern)
	}
	*f = append(*f, pattern)
	return nil
}

func (*nameFlag) Type() string { return "stringArray" }

func (f *nameFlag) Append(pattern string) error { return f.Set(pattern) }

func (f *nameFlag) Replace(patterns []string) error {
	*f = nil
	for _, pattern := range patterns {
		if err := f.Set(pattern); err != nil {
			return err
		}
	}
	return nil
}

func (f *nameFlag) GetSlice() []string { return slices.Clone(*f) }
