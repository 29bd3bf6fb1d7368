package page

import (
	"context"
	"os/exec"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

type screen struct {
	name          string
	width, height int64
	scheme        string
	mobile        bool
}

var (
	light = screen{"light", 1200, 900, "light", false}
	dark  = screen{"dark", 1200, 900, "dark", false}
	phone = screen{"phone", 390, 844, "light", true}
)

func browser(t *testing.T) context.Context {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("there is no chromium: install the package of that name")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.NoSandbox,
		chromedp.Flag("force-color-profile", "srgb"), chromedp.Flag("font-render-hinting", "none"), chromedp.Flag("hide-scrollbars", true), chromedp.Flag("disable-lcd-text", true))
	allocator, end := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(end)
	ctx, stop := chromedp.NewContext(allocator)
	t.Cleanup(stop)
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

type action = chromedp.Action[chromedp.Void]

func showOn(s screen) action {
	media := chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: s.scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
		}})
		return err
	})
	var options []chromedp.EmulateViewportOption
	if s.mobile {
		options = append(options, chromedp.EmulateMobile)
	}
	return chromedp.Steps(chromedp.EmulateViewport(s.width, s.height, options...), media)
}

func script(text string) action {
	return func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Evaluate[any](text+";null")(ctx, t)
		return chromedp.Void{}, err
	}
}

func run(t *testing.T, ctx context.Context, actions ...action) { //nolint:revive // the test is first everywhere
	t.Helper()
	if err := chromedp.Do(ctx, actions...); err != nil {
		t.Fatal(err)
	}
}

func evaluated[T any](t *testing.T, ctx context.Context, expression string, options ...chromedp.EvaluateOption) T { //nolint:revive // as above
	t.Helper()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, options...))
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func waitUntil(t *testing.T, ctx context.Context, what, expression string) { //nolint:revive // as above
	t.Helper()
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if is, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("!!("+expression+")")); err == nil && is {
			return
		}
	}
	t.Fatalf("%s: it does not become true: %s", what, evaluated[string](t, ctx, "document.body.innerText"))
}
