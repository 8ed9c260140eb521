// SPDX-License-Identifier: Apache-2.0

// Package status tells how Gatehouse's objects in a cluster are: what `gatehouse status` prints.
//
// It reads, decides and writes in that order, and each step is a pure function of the one before:
//
//	Connect   a kubeconfig and its flags → a Cluster (connect.go); what went wrong, with what to do next (trouble.go)
//	Read      a Cluster → Objects, by paged lists (read.go); Watch keeps Objects current (watch.go)
//	NewReport Objects → a Report: the documented schema of -o json and -o yaml (report.go), the state of
//	          each object and what is wrong with it (judge.go), who belongs to which AuthServer (build.go, and build_pods.go and
//	          build_events.go)
//	Text      a Report → the tree for people: the whole (text.go), a server (text_server.go), what is beneath it (text_group.go,
//	          text_rows.go) and what is wrong with an object (text_object.go), wrapped to a width (wrap.go)
//
// It only reads. What it knows comes from the objects' statuses and Warning events; with Pods also from the pods' GET
// /configz, which the API server forwards. It reads no Secret.
//
// A newcomer who adds a condition to the API has nothing to do here unless it is one that does not count for Ready and
// yet needs somebody's attention when it is False: then it gets a line in judge.go's table advisory.
package status
