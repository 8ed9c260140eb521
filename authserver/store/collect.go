// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

const (
	// CollectInterval is the pause between two sweeps. A sealed successor outlives Grace by at most this.
	CollectInterval = 10 * time.Second
	// CollectBatch is how many rows one transaction removes at most, so that requests never wait long for the writer.
	CollectBatch = 500
)

// KeepClean removes expired rows every CollectInterval until ctx ends. It returns at once for a store without rows.
func KeepClean(ctx context.Context, s Store, now func() time.Time, log *slog.Logger) {
	ticker := time.NewTicker(CollectInterval)
	defer ticker.Stop()
	for {
		if err := sweep(ctx, s, now); errors.Is(err, ErrNoStore) || errors.Is(err, ErrClosed) || ctx.Err() != nil {
			return
		} else if err != nil {
			log.WarnContext(ctx, "removing expired rows failed", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func sweep(ctx context.Context, s Store, now func() time.Time) error {
	for {
		n, err := s.Collect(ctx, now(), CollectBatch)
		if err != nil || n < CollectBatch {
			return err
		}
	}
}
