package pipeline_test

import (
	"errors"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/kratix-schedule/kratix-schedule/source/pipeline"
)

func TestReadStatus(t *testing.T) {
	for name, test := range map[string]struct {
		content string
		want    map[string]any
	}{
		"keys": {"message: up\nreplicas: 3\nratio: 0.5\nnested: {a: [b]}\ngone:\n", map[string]any{
			"message": "up", "replicas": int64(3), "ratio": 0.5, "nested": map[string]any{"a": []any{"b"}}, "gone": nil,
		}},
		"conditions":  {"conditions:\n- {type: Up, status: \"True\"}\n", map[string]any{"conditions": []any{map[string]any{"type": "Up", "status": "True"}}}},
		"an alias":    {"note: &text up\nmessage: *text\n", map[string]any{"note": "up", "message": "up"}},
		"no message":  {"message:\n", map[string]any{"message": nil}},
		"empty":       {"", nil},
		"nothing":     {"null\n", nil},
		"only a note": {"# later\n", nil},
	} {
		said, err := pipeline.ReadStatus(dirs("metadata/status.yaml", test.content))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(test.want, said); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
	}
	if said, err := pipeline.ReadStatus(dirs("metadata/other", "")); err != nil || said != nil {
		t.Errorf("without the file: %v, %v", said, err)
	}
}

func TestReadStatusRejects(t *testing.T) {
	for _, content := range []string{
		"- a\n", "text\n", "a: [\n", "a: 1\na: 2\n", "kratix: {}\n", "message: 5\n", "message: [a]\n",
		"conditions: {}\n", "conditions: [a]\n", "conditions: [{status: \"True\"}]\n", "conditions: [{type: [a]}]\n",
	} {
		if said, err := pipeline.ReadStatus(dirs("metadata/status.yaml", content)); !errors.Is(err, pipeline.ErrInput) {
			t.Errorf("%q gives %v, %v", content, said, err)
		}
	}
	for name, dir := range map[string]fstest.MapFS{"no directory": dirs(), "a file": dirs("metadata", "")} {
		if said, err := pipeline.ReadStatus(dir); !errors.Is(err, pipeline.ErrInput) {
			t.Errorf("%s gives %v, %v", name, said, err)
		}
	}
}

func TestReadRequestReturnsUID(t *testing.T) {
	request, err := pipeline.ReadRequest(dirs("input/object.yaml", "apiVersion: example.com/v1\nkind: redis\nmetadata: {name: one, namespace: team, uid: abc}\n"))
	if err != nil || request.String() != "redis team/one" || request.Metadata.UID != "abc" || request.APIVersion != "example.com/v1" {
		t.Errorf("%+v, %v", request, err)
	}
	if _, err := pipeline.ReadRequest(fstest.MapFS{}); !errors.Is(err, pipeline.ErrNoRequest) || !errors.Is(err, pipeline.ErrInput) {
		t.Errorf("without the file: %v", err)
	}
}

func FuzzReadStatus(f *testing.F) {
	for _, content := range []string{"message: up\n", "conditions:\n- type: Up\n", "a: &x {b: *x}\n", "<<: {kratix: {}}\n", "- a\n"} {
		f.Add([]byte(content))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		said, err := pipeline.ReadStatus(dirs("metadata/status.yaml", string(content)))
		if err != nil {
			return
		}
		if _, managed := said["kratix"]; managed {
			t.Errorf("%q says what is Kratix's", content)
		}
		if message, there := said["message"]; there && message != nil {
			if _, text := message.(string); !text {
				t.Errorf("%q has the message %v", content, message)
			}
		}
	})
}
