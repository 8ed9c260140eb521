// SPDX-License-Identifier: Apache-2.0

// Package rig is what every measuring command stands on: the programs under test ([Programs]), the files that they serve ([Render]), and figures told beside their targets
// ([Score]).
package rig
