package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"
)

// configName is the file that is searched for, from the working directory up to
// the top of the repository.
const configName = ".kratix-schedule.yaml"

// envPrefix starts the names of environment variables: KRATIX_SCHEDULE_FAIL_ON
// is --fail-on.
const envPrefix = "KRATIX_SCHEDULE_"

// The annotations of flags that a configuration may set, and of those whose
// value is a path.
const (
	configurableFlag = "configurable"
	pathFlag         = "path"
)

// configurable lets the configuration and the environment set flags.
func configurable(c *cobra.Command, names ...string) { annotate(c, configurableFlag, names) }

// pathFlags says that values are paths: in a configuration they are relative to
// its file.
func pathFlags(c *cobra.Command, names ...string) { annotate(c, pathFlag, names) }

func annotate(c *cobra.Command, key string, names []string) {
	for _, name := range names {
		_ = c.Flags().SetAnnotation(name, key, []string{"true"}) // the flags are there
	}
}

func has(flag *pflag.Flag, key string) bool { return len(flag.Annotations[key]) > 0 }

// addConfigFlag adds the flag that names the configuration.
func addConfigFlag(c *cobra.Command) {
	c.Flags().String("config", "", "configuration to read instead of the nearest "+configName+"; none reads no file")
}

// configure sets the flags that the command line leaves open: from the
// environment, else from the configuration. What a check reads is one choice: a
// path on the command line replaces all inputs of the configuration.
func configure(c *cobra.Command, args []string) error {
	file, err := findConfig(c)
	if err != nil {
		return err
	}
	settings, err := readConfig(file)
	if err != nil {
		return exit{code: exitUsage, text: err.Error()}
	}
	inputsGiven := len(args) > 0 || slices.ContainsFunc(inputFlagNames, func(name string) bool { return changed(c, name) })
	var problem error
	c.Flags().VisitAll(func(flag *pflag.Flag) {
		isInput := slices.Contains(inputFlagNames, flag.Name)
		if problem != nil || flag.Changed || !has(flag, configurableFlag) || (isInput && inputsGiven) {
			return
		}
		problem = setOne(c, flag, settings)
	})
	return problem
}

// inputFlagNames say together what is read.
var inputFlagNames = []string{"filename", "pipeline", "promise", "tree", "repo"}

func changed(c *cobra.Command, name string) bool {
	flag := c.Flags().Lookup(name)
	return flag != nil && flag.Changed
}

func setOne(c *cobra.Command, flag *pflag.Flag, settings *config) error {
	variable := envPrefix + strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_"))
	if value, ok := os.LookupEnv(variable); ok && value != "" {
		values := []string{value}
		if flag.Value.Type() == "stringArray" {
			values = strings.Split(value, ",")
		}
		if err := setFlag(c, flag, values); err != nil {
			return exit{code: exitUsage, text: variable + ": " + err.Error()}
		}
		return nil
	}
	setting, ok := settings.values[flag.Name]
	if !ok {
		return nil
	}
	values := setting.values
	if has(flag, pathFlag) {
		values = settings.resolve(values)
	}
	if err := setFlag(c, flag, values); err != nil {
		return exit{code: exitUsage, text: fmt.Sprintf("%s:%d: %s: %s", settings.file, setting.line, flag.Name, err)}
	}
	return nil
}

func setFlag(c *cobra.Command, flag *pflag.Flag, values []string) error {
	for _, value := range values {
		if err := c.Flags().Set(flag.Name, value); err != nil {
			return errors.New(strings.TrimPrefix(err.Error(), fmt.Sprintf("invalid argument %q for %q flag: ", value, "--"+flag.Name)))
		}
	}
	return nil
}

// findConfig gives the configuration to read; empty when there is none.
func findConfig(c *cobra.Command) (string, error) {
	named, _ := c.Flags().GetString("config")
	if named == "" {
		named = os.Getenv(envPrefix + "CONFIG")
	}
	switch {
	case named == "none":
		return "", nil
	case named != "" && !isFile(named):
		return "", usage(c, "--config "+named+": there is no such file")
	case named != "":
		return named, nil
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for up := "."; ; up, dir = filepath.Join(up, ".."), filepath.Dir(dir) {
		if candidate := filepath.Join(up, configName); isFile(candidate) {
			return candidate, nil
		}
		_, noRepository := os.Stat(filepath.Join(up, ".git"))
		if noRepository == nil || dir == filepath.Dir(dir) {
			return "", nil
		}
	}
}

// config is a configuration file.
type config struct {
	file   string
	values map[string]setting
}

// setting is the value of a key, as flags take it.
type setting struct {
	values []string
	line   int
}

// resolve makes paths relative to the working directory that are relative to
// the configuration.
func (s *config) resolve(paths []string) []string {
	var resolved []string
	for _, path := range paths {
		if path != "-" && !filepath.IsAbs(path) {
			path = filepath.Join(filepath.Dir(s.file), path)
		}
		resolved = append(resolved, path)
	}
	return resolved
}

// readConfig reads a configuration; its errors begin with file and line.
func readConfig(file string) (*config, error) {
	settings := &config{file: file, values: map[string]setting{}}
	if file == "" {
		return settings, nil
	}
	content, err := os.ReadFile(file) //nolint:gosec // the user names it
	if err != nil {
		return nil, err
	}
	var document yaml.Node
	documents := yaml.NewDecoder(bytes.NewReader(content))
	switch err := documents.Decode(&document); {
	case errors.Is(err, io.EOF):
		return settings, nil
	case err != nil:
		return nil, malformed(file, err)
	case !errors.Is(documents.Decode(&yaml.Node{}), io.EOF):
		return nil, fmt.Errorf("%s: it must be one document", file)
	}
	root := document.Content[0]
	if root.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%s:%d: it must be a map of settings", file, root.Line)
	}
	known := settable()
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		flag, ok := known[key.Value]
		if !ok {
			return nil, fmt.Errorf("%s:%d: there is no setting %q%s", file, key.Line, key.Value, nearest(key.Value, known))
		}
		if _, again := settings.values[key.Value]; again {
			return nil, fmt.Errorf("%s:%d: %s is there twice", file, key.Line, key.Value)
		}
		values, err := valuesOf(flag, value)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %s: %w", file, value.Line, key.Value, err)
		}
		settings.values[key.Value] = setting{values: values, line: value.Line}
	}
	return settings, nil
}

var lineInError = regexp.MustCompile(`^(?:yaml: )?line (\d+): `)

// malformed puts what the YAML library says into one line, after file and line.
func malformed(file string, err error) error {
	text := oneLine(err.Error())
	if at := lineInError.FindStringSubmatch(text); at != nil {
		return fmt.Errorf("%s:%s: %s", file, at[1], strings.TrimPrefix(text, at[0]))
	}
	return fmt.Errorf("%s: %s", file, strings.TrimPrefix(text, "yaml: "))
}

// valuesOf checks a value against its flag.
func valuesOf(flag *pflag.Flag, value *yaml.Node) ([]string, error) {
	if flag.Value.Type() == "stringArray" && value.Kind == yaml.SequenceNode {
		var values []string
		for _, item := range value.Content {
			if item.Kind != yaml.ScalarNode {
				return nil, errors.New("its items must be text")
			}
			values = append(values, item.Value)
		}
		return values, nil
	}
	wanted := map[string]string{"bool": "!!bool", "int": "!!int"}[flag.Value.Type()]
	switch {
	case value.Kind != yaml.ScalarNode && flag.Value.Type() == "stringArray":
		return nil, errors.New("it must be text, or a list of it")
	case value.Kind != yaml.ScalarNode || value.Tag == "!!null":
		return nil, errors.New("it must be one value")
	case wanted == "!!bool" && value.Tag != wanted:
		return nil, errors.New("it must be true or false")
	case wanted == "!!int" && value.Tag != wanted:
		return nil, errors.New("it must be a whole number")
	}
	return []string{value.Value}, nil
}

// settable gives the flags of all commands that a configuration may set.
func settable() map[string]*pflag.Flag {
	flags := map[string]*pflag.Flag{}
	for _, command := range root(streams{}).Commands() {
		command.Flags().VisitAll(func(flag *pflag.Flag) {
			if has(flag, configurableFlag) {
				flags[flag.Name] = flag
			}
		})
	}
	return flags
}

// nearest says which setting may have been meant.
func nearest(key string, known map[string]*pflag.Flag) string {
	plain := func(s string) string {
		return strings.TrimSuffix(strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(s)), "s")
	}
	for _, name := range sortedNames(known) {
		if plain(name) == plain(key) || strings.HasPrefix(plain(name), plain(key)) {
			return "; did you mean " + name + "?"
		}
	}
	return "; the settings are " + strings.Join(sortedNames(known), ", ")
}

func sortedNames(known map[string]*pflag.Flag) []string {
	var names []string
	for name := range known {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
