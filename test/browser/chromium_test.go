// SPDX-License-Identifier: Apache-2.0

package browser

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience is how long one step may take on a busy machine.
const patience = 2 * time.Minute

// missing skips a test for want of a part, by name; with CI=true that is a failure.
func missing(t testing.TB, what, remedy string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is missing, and with CI=true it has to be there: %s", what, remedy)
	}
	t.Skipf("skipped: %s is missing: %s", what, remedy)
}

// program finds one of several names of a program.
func program(t testing.TB, remedy string, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	missing(t, names[0], remedy)
	return ""
}

// npmFile is a file of the packages in package.json.
func npmFile(t testing.TB, path string) string {
	t.Helper()
	path = filepath.Join("node_modules", path)
	if _, err := os.Stat(path); err != nil {
		missing(t, path, "npm ci --ignore-scripts --prefix test/browser")
	}
	return path
}

// chromium starts a browser that ends with the test.
func chromium(t testing.TB) context.Context {
	t.Helper()
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(program(t, "apt-get install chromium", "chromium", "chromium-browser", "google-chrome")),
		chromedp.UserDataDir(t.TempDir()), chromedp.DisableGPU,
		// Nothing outside this machine is looked up: what a page would fetch there fails at once.
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"))
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox) // its sandbox does not work for root
	}
	allocator, stopAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stopAllocator)
	ctx, stop := chromedp.NewContext(allocator)
	t.Cleanup(stop)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("starting Chromium: %v", err)
	}
	return ctx
}

// tab is one tab with cookies of its own. What the browser complains about is kept.
type tab struct {
	t   testing.TB
	ctx context.Context

	mu         sync.Mutex
	complaints []string
}

func newTab(t testing.TB, browser context.Context) *tab {
	t.Helper()
	ctx, stop := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	t.Cleanup(stop)
	tb := &tab{t: t, ctx: ctx}
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("opening a tab: %v", err)
	}
	if err := chromedp.Listen(ctx, tb.hear); err != nil {
		t.Fatal(err)
	}
	call(tb, audits.Enable, cdp.Empty{})
	return tb
}

// hear notes what a page does wrong: violations of its policy, errors of the console, scripts that fail. A status of 400 and above is an error of the console too, and none of the page.
func (b *tab) hear(event any) {
	said := ""
	switch e := event.(type) {
	case *log.EventEntryAdded:
		if e.Entry.Source != "network" {
			said = fmt.Sprintf("%s: %s", e.Entry.Source, e.Entry.Text)
		}
	case *audits.EventIssueAdded:
		if details := e.Issue.Details.ContentSecurityPolicyIssueDetails; details != nil {
			said = fmt.Sprintf("policy: %s stops %s", details.ViolatedDirective, details.BlockedURL)
		}
	case *runtime.EventExceptionThrown:
		said = "script: " + e.ExceptionDetails.Text
	}
	if said != "" {
		b.mu.Lock()
		b.complaints = append(b.complaints, said)
		b.mu.Unlock()
	}
}

// heard returns the complaints since the last call.
func (b *tab) heard() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	said := b.complaints
	b.complaints = nil
	return said
}

// call sends one command of the protocol.
func call[P, R any](b *tab, command cdp.Command[P, R], params P) R {
	b.t.Helper()
	ctx, stop := context.WithTimeout(b.ctx, patience)
	defer stop()
	result, err := chromedp.Call(ctx, command, params)
	if err != nil {
		b.t.Fatalf("%s: %v", command.Method, err)
	}
	return result
}

// run runs one action within patience.
func run[T any](b *tab, what string, action chromedp.Action[T]) T {
	b.t.Helper()
	ctx, stop := context.WithTimeout(b.ctx, patience)
	defer stop()
	result, err := chromedp.Run(ctx, action)
	if err != nil {
		where, _ := chromedp.Run(b.ctx, chromedp.Location())
		b.t.Fatalf("%s, at %s: %v", what, where, err)
	}
	return result
}

func (b *tab) open(url string) {
	b.t.Helper()
	run(b, "opening "+url, chromedp.Navigate(url))
}

func (b *tab) evaluate(expression string) string {
	b.t.Helper()
	return run(b, expression, chromedp.Evaluate[string](expression))
}

// click clicks what the CSS selector finds and waits until the next page is there.
func (b *tab) click(selector string) {
	b.t.Helper()
	run(b, "clicking "+selector, chromedp.WaitEvent(page.LoadEventFired, nil, chromedp.Click(chromedp.CSS(selector))))
}

func (b *tab) fill(selector, text string) {
	b.t.Helper()
	run(b, "filling "+selector, chromedp.SendKeys(chromedp.CSS(selector), text))
}

// await asks again and again until the answer is good.
func (b *tab) await(what string, good func() bool) {
	b.t.Helper()
	deadline, tick := time.Now().Add(patience), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for !good() {
		if time.Now().After(deadline) {
			where, _ := chromedp.Run(b.ctx, chromedp.Location())
			b.t.Fatalf("%s: not in time; the browser is at %s:\n%s", what, where, b.text())
		}
		<-tick.C
	}
}

// awaitLocation waits until the page's address begins with prefix and the page has loaded.
func (b *tab) awaitLocation(prefix string) {
	b.t.Helper()
	b.await("getting to "+prefix, func() bool {
		where, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](`document.readyState === "complete" ? location.href : ""`))
		return err == nil && strings.HasPrefix(where, prefix)
	})
}

// awaitFocus waits until the field has the focus: autofocus comes after the page has loaded, and keys pressed before are lost.
func (b *tab) awaitFocus(id string) {
	b.t.Helper()
	b.await("the focus of "+id, func() bool {
		at, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](`document.activeElement && document.hasFocus() ? document.activeElement.id : ""`))
		return err == nil && at == id
	})
}

// awaitComplaint waits until the browser complains of something.
func (b *tab) awaitComplaint(about string) {
	b.t.Helper()
	b.await("a complaint of "+about, func() bool { return strings.Contains(strings.Join(b.heard(), "\n"), about) })
}

// text is what the page says.
func (b *tab) text() string {
	text, _ := chromedp.Run(b.ctx, chromedp.Evaluate[string]("document.body.innerText"))
	return text
}

// scheme makes the browser prefer light or dark.
func (b *tab) scheme(name string) {
	b.t.Helper()
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}}})
}

// size makes the window a desktop's or a phone's.
func (b *tab) size(width, height int64, scale float64) {
	b.t.Helper()
	call(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: scale, Mobile: width < 600})
}

// screenshot keeps a picture of the whole page.
func (b *tab) screenshot(name string) {
	b.t.Helper()
	dir := os.Getenv("GATEHOUSE_SCREENSHOTS")
	if dir == "" {
		dir = b.t.TempDir()
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.t.Fatal(err)
	}
	picture := run(b, "taking a picture", chromedp.FullScreenshot(100))
	if len(picture) == 0 {
		b.t.Error("the picture is empty")
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o600); err != nil {
		b.t.Fatal(err)
	}
}
