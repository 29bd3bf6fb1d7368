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
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"

	"github.com/kratix-schedule/kratix-schedule/internal/policy"
)

const configName = ".kratix-schedule.yaml"

// envPrefix is the prefix of environment variables, such as KRATIX_SCHEDULE_FAIL_ON for --fail-on.
const envPrefix = "KRATIX_SCHEDULE_"

const (
	configurableFlag = "configurable"
	pathFlag         = "path"
)

func configurable(c *cobra.Command, names ...string) { annotate(c, configurableFlag, names) }

func pathFlags(c *cobra.Command, names ...string) { annotate(c, pathFlag, names) }

func annotate(c *cobra.Command, key string, names []string) {
	for _, name := range names {
		_ = c.Flags().SetAnnotation(name, key, []string{"true"}) // the flags exist
	}
}

func has(flag *pflag.Flag, key string) bool { return len(flag.Annotations[key]) > 0 }

func addConfigFlag(c *cobra.Command) {
	c.Flags().String("config", "", "configuration to read instead of the nearest "+configName+"; none reads no file")
}

// configure sets flags that are not on the command line, from the environment or the configuration.
// If the command line names an input, it sets no input flags.
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

func configureOne(c *cobra.Command, name string) error {
	file, err := findConfig(c)
	if err != nil {
		return err
	}
	settings, err := readConfig(file)
	if err != nil {
		return exit{code: exitUsage, text: err.Error()}
	}
	if flag := c.Flags().Lookup(name); !flag.Changed {
		return setOne(c, flag, settings)
	}
	return nil
}

var inputFlagNames = []string{"filename", "pipeline", "promise", "tree", "repo"}

func changed(c *cobra.Command, name string) bool {
	flag := c.Flags().Lookup(name)
	return flag != nil && flag.Changed
}

func setOne(c *cobra.Command, flag *pflag.Flag, settings *config) error {
	variable := envPrefix + strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_"))
	if value, ok := os.LookupEnv(variable); ok && value != "" {
		values := []string{value}
		if isList(flag) {
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
	var values []string
	for _, value := range setting.values {
		values = append(values, settings.resolve(flag, value))
	}
	if err := setFlag(c, flag, values); err != nil {
		return err
	}
	return markSetByFile(c, flag, settings.file)
}

func isList(flag *pflag.Flag) bool {
	_, is := flag.Value.(pflag.SliceValue)
	return is
}

func setFlag(c *cobra.Command, flag *pflag.Flag, values []string) error {
	for _, value := range values {
		if err := c.Flags().Set(flag.Name, value); err != nil {
			return cause(err)
		}
	}
	return nil
}

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

type config struct {
	file   string
	values map[string]setting
}

type setting struct {
	values []string
	line   int
}

// resolve returns a value of the configuration, in which relative paths become relative to the
// working directory.
func (s *config) resolve(flag *pflag.Flag, value string) string {
	switch {
	case flag.Name == "output":
		if format, file, ok := strings.Cut(value, "="); ok {
			return format + "=" + s.beside(file)
		}
		return value
	case flag.Name == "promise" && !looksLikePath(value) && !isFile(s.beside(value)):
		return value
	case flag.Name == "repo" && (strings.Contains(value, "://") || isShortSSH(value)):
		return value
	case flag.Name == "repo" || has(flag, pathFlag):
		return s.beside(value)
	}
	return value
}

// beside returns the path of a file that the configuration names.
func (s *config) beside(path string) string {
	if path == "-" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(s.file), path)
}

// readConfig returns the settings in a file, and none if the name is empty.
func readConfig(file string) (*config, error) {
	settings := &config{file: file, values: map[string]setting{}}
	if file == "" {
		return settings, nil
	}
	content, err := os.ReadFile(file) //nolint:gosec // a path given by the user
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
			return nil, fmt.Errorf("%s:%d: %s is defined twice", file, key.Line, key.Value)
		}
		values, err := valuesOf(flag, value)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %s: %w", file, value.Line, key.Value, err)
		}
		for _, value := range values {
			if err := takes(flag, value); err != nil {
				return nil, fmt.Errorf("%s:%d: %s: %w", file, key.Line, key.Value, err)
			}
		}
		settings.values[key.Value] = setting{values: values, line: value.Line}
	}
	return settings, nil
}

var lineInError = regexp.MustCompile(`^(?:yaml: )?line (\d+): `)

// malformed returns an error of the YAML library as one line that begins with the file.
func malformed(file string, err error) error {
	text := oneLine(err.Error())
	if at := lineInError.FindStringSubmatch(text); at != nil {
		return fmt.Errorf("%s:%s: %s", file, at[1], strings.TrimPrefix(text, at[0]))
	}
	return fmt.Errorf("%s: %s", file, strings.TrimPrefix(text, "yaml: "))
}

func valuesOf(flag *pflag.Flag, value *yaml.Node) ([]string, error) {
	if isList(flag) && value.Kind == yaml.SequenceNode {
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
	case value.Kind != yaml.ScalarNode && isList(flag):
		return nil, errors.New("it must be text, or a list of it")
	case value.Kind != yaml.ScalarNode || value.Tag == "!!null":
		return nil, errors.New("it must be one value")
	case wanted == "!!bool" && value.Tag != wanted:
		return nil, errNoBool
	case wanted == "!!int" && value.Tag != wanted:
		return nil, errNoNumber
	}
	return []string{value.Value}, nil
}

// takes returns an error if a flag does not accept a value. It changes the flag.
func takes(flag *pflag.Flag, value string) error {
	if err := flag.Value.Set(value); err != nil {
		return cause(err)
	}
	switch number, _ := strconv.Atoi(value); flag.Name {
	case "fail-on":
		_, err := severityNamed(value)
		return err
	case "ignore":
		_, err := policy.ParseIgnore(value)
		return err
	case "output":
		_, err := parseOutput(value)
		return err
	case "max-findings":
		return checkMost(number)
	case "requests":
		return checkTimes(number)
	}
	return nil
}

// cause returns the reason why a flag rejects a value.
func cause(err error) error {
	var wrong *pflag.InvalidValueError
	if errors.As(err, &wrong) {
		err = wrong.Unwrap()
	}
	var number *strconv.NumError
	switch {
	case !errors.As(err, &number):
		return err
	case number.Func == "ParseBool":
		return errNoBool
	}
	return errNoNumber
}

var (
	errNoBool   = errors.New("it must be true or false")
	errNoNumber = errors.New("it must be a whole number")
)

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
