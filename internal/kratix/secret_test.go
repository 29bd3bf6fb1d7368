package kratix_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.yaml.in/yaml/v3"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	sigsyaml "sigs.k8s.io/yaml"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

func TestSecretNeverShowsItsValues(t *testing.T) {
	secret := kratix.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Name: "git", Namespace: "default",
			Annotations: map[string]string{"kubectl.kubernetes.io/last-applied-configuration": `{"stringData":{"token":"hunter2"}}`},
		},
		Data:       map[string][]byte{"password": []byte("hunter2")},
		StringData: map[string]string{"token": "hunter2"},
	}
	wrapped := struct {
		Pointer *kratix.Secret
		Value   kratix.Secret
		List    []*kratix.Secret
		Object  kratix.Object
	}{&secret, secret, []*kratix.Secret{&secret}, &secret}
	for what, value := range map[string]any{
		"a pointer": &secret, "a copy": secret, "something that holds it": wrapped, "a pointer to that": &wrapped,
	} {
		for how, got := range formats(t, value) {
			for _, word := range secretWords() {
				if strings.Contains(strings.ToLower(got), word) {
					t.Errorf("%s by %s shows %q: %s", what, how, word, got)
				}
			}
			if !strings.HasPrefix(how, "%T") && !strings.Contains(got, "values not shown") {
				t.Errorf("%s by %s does not name it: %s", what, how, got)
			}
		}
	}
	if got, want := fmt.Sprint(&secret), "Secret default/git (values not shown)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func secretWords() []string {
	value := []byte("hunter2")
	return []string{
		"hunter2", "password", "token", fmt.Sprintf("%v", value), hex.EncodeToString(value),
		strings.ToLower(base64.StdEncoding.EncodeToString(value)),
	}
}

func formats(t *testing.T, value any) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T", "%10.3v"} {
		all[verb] = fmt.Sprintf(verb, value)
	}
	for how, encode := range map[string]func(any) ([]byte, error){
		"encoding/json": json.Marshal, "sigs.k8s.io/yaml": sigsyaml.Marshal, "go.yaml.in/yaml": yaml.Marshal,
	} {
		text, err := encode(value)
		if err != nil {
			t.Fatalf("%s: %v", how, err)
		}
		all[how] = string(text)
	}
	config := zap.NewProductionEncoderConfig()
	for how, encoder := range map[string]zapcore.Encoder{"zap JSON": zapcore.NewJSONEncoder(config), "zap console": zapcore.NewConsoleEncoder(config)} {
		line, err := encoder.EncodeEntry(zapcore.Entry{}, []zap.Field{zap.Any("value", value), zap.Reflect("again", value)})
		if err != nil {
			t.Fatalf("%s: %v", how, err)
		}
		all[how] = line.String()
	}
	for how, handler := range map[string]func(io.Writer) slog.Handler{
		"slog text": func(w io.Writer) slog.Handler { return slog.NewTextHandler(w, nil) },
		"slog JSON": func(w io.Writer) slog.Handler { return slog.NewJSONHandler(w, nil) },
	} {
		var out strings.Builder
		slog.New(handler(&out)).Info("", "value", value)
		all[how] = out.String()
	}
	return all
}

func TestSecretValue(t *testing.T) {
	secret := &kratix.Secret{
		Data:       map[string][]byte{"a": []byte("data"), "b": []byte("data"), "empty": nil},
		StringData: map[string]string{"b": "string", "c": "string"},
	}
	for key, want := range map[string]string{"a": "data", "b": "string", "c": "string", "empty": ""} {
		if got, ok := secret.Value(key); got != want || !ok {
			t.Errorf("%s is %q, %t; want %q", key, got, ok, want)
		}
	}
	if got, ok := secret.Value("missing"); got != "" || ok {
		t.Errorf("a missing key is %q, %t", got, ok)
	}
}
