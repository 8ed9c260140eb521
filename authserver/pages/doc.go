// SPDX-License-Identifier: Apache-2.0

// Package pages renders what people see of Gatehouse: /login, /account, the question before a logout, the page after it and every refusal that a
// browser meets. It only renders: it knows no session, store or provider, and decides nothing.
//
//	site := pages.New(pages.Site{Title: base.Login.Title, Logo: base.Login.Logo, Icons: icons})   // one per configuration
//	site.Login(w, r, http.StatusOK, pages.LoginModel{Providers: buttons, Password: &pages.PasswordForm{Action: "/login", CSRF: token}})
//	site.Asset(w, r)                                                                              // GET below AssetPath
//
// What holds for every page:
//
//   - There are no scripts at all. Everything works with links, forms and one stylesheet.
//   - Its headers are set here (headers.go): a strict Content-Security-Policy, no framing, no caching. Callers add cookies before they call.
//   - Its words are in the language that the browser prefers (language.go, messages/*.json; docs/languages.md says how to add one).
//   - It meets WCAG 2.2 AA in light and dark; test/browser looks at each one in Chromium, with axe.
//
// Chromium applies form-action to every redirect after a form post, also to those of the site that one leads to. So a post that ends at another origin is
// not answered with a redirect: [Pages.Continue] and [Pages.LoggedOut] are pages that lead on by themselves, to which form-action does not apply. Provider buttons are
// links for the same reason.
//
// Where things go: a page is one template in templates, its model in models.go and a method in pages.go; a reason to refuse is a constant in reasons.go and two
// messages in each language; a language is one file in messages.
package pages
