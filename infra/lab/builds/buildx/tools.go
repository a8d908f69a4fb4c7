//go:build tools

// Package tools keeps what is built from here in go.mod.
package tools

import (
	_ "github.com/docker/buildx/cmd/buildx"
)
