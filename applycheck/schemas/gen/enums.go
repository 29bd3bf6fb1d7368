package main

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"

	"k8s.io/kube-openapi/pkg/validation/spec"
)

// readEnums returns the allowed values of fields, by type and field, from generated Go code. The
// published OpenAPI documents do not contain them.
func readEnums(file string, models map[string]*spec.Schema) (map[string]map[string][]string, error) {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	functions := map[string]*ast.FuncDecl{}
	for _, declaration := range parsed.Decls {
		if function, ok := declaration.(*ast.FuncDecl); ok {
			functions[function.Name.Name] = function
		}
	}
	enums := map[string]map[string][]string{}
	for name := range models {
		api, ok := strings.CutPrefix(name, "io.k8s.api.")
		function := functions["schema_k8sio_api_"+strings.ReplaceAll(api, ".", "_")]
		if !ok || function == nil {
			continue
		}
		if fields := enumsIn(function); len(fields) > 0 {
			enums[name] = fields
		}
	}
	if len(enums) == 0 {
		return nil, errors.New("there are no enums in the generated code")
	}
	return enums, nil
}

// enumsIn returns the enums of the fields in the function that describes a type.
func enumsIn(function *ast.FuncDecl) map[string][]string {
	fields := map[string][]string{}
	ast.Inspect(function, func(node ast.Node) bool {
		properties := valueOf(node, "Properties")
		if properties == nil {
			return true
		}
		for _, element := range properties.Elts {
			property, ok := element.(*ast.KeyValueExpr)
			if !ok {
				continue
			}
			name := text(property.Key)
			ast.Inspect(property.Value, func(node ast.Node) bool {
				if enum := valueOf(node, "Enum"); enum != nil {
					for _, value := range enum.Elts {
						fields[name] = append(fields[name], text(value))
					}
				}
				return true
			})
			slices.Sort(fields[name])
		}
		return false
	})
	for name, values := range fields {
		if len(values) == 0 {
			delete(fields, name)
		}
	}
	return fields
}

// valueOf returns the composite literal that is the value of the field with this name, or nil if
// the node is not such a field.
func valueOf(node ast.Node, name string) *ast.CompositeLit {
	pair, ok := node.(*ast.KeyValueExpr)
	if !ok {
		return nil
	}
	key, ok := pair.Key.(*ast.Ident)
	if !ok || key.Name != name {
		return nil
	}
	literal, _ := pair.Value.(*ast.CompositeLit)
	return literal
}

func text(expression ast.Expr) string {
	literal, ok := expression.(*ast.BasicLit)
	if !ok {
		return ""
	}
	value, err := strconv.Unquote(literal.Value)
	if err != nil {
		return ""
	}
	return value
}
