//go:build tools

// Package tools keeps what is built from here in go.mod.
package tools

import (
	_ "sigs.k8s.io/metrics-server/cmd/metrics-server"
)
