// SPDX-License-Identifier: Apache-2.0

// Package configtest spoils rendered files, for tests of what their readers tell.
package configtest
