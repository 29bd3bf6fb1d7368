package printable

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestLine(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"ordinary":                {`Work default/ünï: "a" 'b' <c> 日本 🙂 \n`, `Work default/ünï: "a" 'b' <c> 日本 🙂 \n`},
		"line break":              {"a\n::error::b\r\nc\td", `a\n::error::b\r\nc\td`},
		"workflow command":        {"::error::x", `\x3a:error::x`},
		"command after blanks":    {" \t::error::x", ` \t::error::x`},
		"command after spaces":    {"   ::error::x", `   \x3a:error::x`},
		"colons in the middle":    {"std::vector", "std::vector"},
		"old command":             {"a ##[error]b ##[c", `a \x23#[error]b \x23#[c`},
		"command of Azure DevOps": {"##vso[task.setvariable]x", `\x23#vso[task.setvariable]x`},
		"command of TeamCity":     {"##teamcity[x]", `\x23#teamcity[x]`},
		"more hashes":             {"###[error] ### title", `#\x23#[error] ### title`},
		"terminal escape":         {"\x1b[31mred\x1b]0;title\a", `\x1b[31mred\x1b]0;title\a`},
		"C1 control":              {"\u009b31m\u0085", `\u009b31m\u0085`},
		"delete":                  {"\x7f", `\x7f`},
		"bidirectional":           {"\u202e\u2066\u200f\u061c", `\u202e\u2066\u200f\u061c`},
		"zero width":              {"a\u200bb\u200dc\ufeff\u2060\u00ad", `a\u200bb\u200dc\ufeff\u2060\u00ad`},
		"line separators":         {"\u2028\u2029", `\u2028\u2029`},
		"spaces that trim":        {"\u00a0::error::\u3000", `\u00a0::error::\u3000`},
		"tags":                    {"\U000e0041", `\U000e0041`},
		"no UTF-8":                {"\xff\xc0", `\xff\xc0`},
		"replacement character":   {"\ufffd", "\ufffd"},
	} {
		t.Run(name, func(t *testing.T) {
			got := Line(test.text)
			if got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
			if IsPlain(test.text) != (test.text == test.want) {
				t.Errorf("IsPlain is %t", IsPlain(test.text))
			}
			if again := Line(got); again != got {
				t.Errorf("printed again it is %s", again)
			}
		})
	}
}

func TestLines(t *testing.T) {
	const text = "a\n\t::error::b\r\n  ::c\x1b\nstd::d\n"
	if got, want := Lines(text), "a\n\t\\x3a:error::b\\r\n  \\x3a:c\\x1b\nstd::d\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestJSONKeepsItsMeaning(t *testing.T) {
	const hostile = "a\x7f\u0085\u202e\u200b\U000e0041##[error]\n::x\xff"
	encoded, err := json.Marshal(map[string]string{"a": hostile, "b": "ünï"})
	if err != nil {
		t.Fatal(err)
	}
	shown := JSON(append(encoded, '\n'))
	if got, want := string(shown), `{"a":"a\u007f\u0085\u202e\u200b\udb40\udc41\u0023#[error]\n::x\ufffd","b":"ünï"}`+"\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	var back map[string]string
	if err := json.Unmarshal(shown, &back); err != nil {
		t.Fatal(err)
	}
	if want := strings.ToValidUTF8(hostile, "\ufffd"); back["a"] != want {
		t.Errorf("read back as %q, want %q", back["a"], want)
	}
}

func FuzzPrintable(f *testing.F) {
	for _, seed := range []string{"", "a", " ::error::", "##[x]", "\x1b[0m", "\u202e", "\xff", "a\n\n::b", "###vso[", "é\n::x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		line, lines := Line(text), Lines(text)
		for _, shown := range []string{line, lines} {
			if !utf8.ValidString(shown) || commandAt(shown) >= 0 {
				t.Errorf("%q is shown as %q", text, shown)
			}
			for part := range strings.SplitSeq(shown, "\n") {
				if strings.HasPrefix(strings.TrimSpace(part), "::") {
					t.Errorf("%q is shown as %q", text, shown)
				}
			}
		}
		if strings.ContainsAny(line, "\n\t\r") || Line(line) != line || Lines(lines) != lines {
			t.Errorf("%q is shown as %q and %q", text, line, lines)
		}
		if IsPlain(text) != (line == text) {
			t.Errorf("IsPlain(%q) is %t, but it is shown as %q", text, IsPlain(text), line)
		}
		encoded, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		var before, after string
		if json.Unmarshal(encoded, &before) != nil || json.Unmarshal(JSON(encoded), &after) != nil || before != after {
			t.Errorf("%q means %q", text, after)
		}
	})
}
