package main

import (
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/kratix-schedule/kratix-schedule/source/dir"
)

type inputFlags struct {
	paths     []string
	recursive bool
	exclude   []string
}

func (f *inputFlags) add(c *cobra.Command) {
	c.Flags().StringArrayVarP(&f.paths, "filename", "f", nil, "file or directory of YAML to read; - is standard input; may be repeated")
	c.Flags().BoolVarP(&f.recursive, "recursive", "R", false, "read the directories below directories too")
	c.Flags().StringArrayVar(&f.exclude, "exclude", nil, "leave out files and directories below each input that this GLOB matches: a name at any depth, or a path relative to the input; ** stands for any directories; may be repeated")
}

func (f *inputFlags) exclusions(c *cobra.Command) ([]dir.Exclusion, error) {
	var all []dir.Exclusion
	for _, pattern := range f.exclude {
		one, err := dir.ParseExclusion(pattern)
		if err != nil {
			return nil, usage(c, "--exclude: "+err.Error())
		}
		all = append(all, one)
	}
	return all, nil
}

func (f *inputFlags) source(c *cobra.Command, std streams) (*dir.Source, error) {
	if len(f.paths) == 0 {
		return nil, usage(c, "nothing to read: name a file or directory")
	}
	exclude, err := f.exclusions(c)
	if err != nil {
		return nil, err
	}
	return &dir.Source{Paths: f.paths, Recursive: f.recursive, Exclude: exclude, Stdin: std.in, Now: time.Now}, nil
}

func inputError(err error) error {
	if errors.Is(err, dir.ErrPath) {
		return exit{code: exitUsage, text: err.Error()}
	}
	return err
}
