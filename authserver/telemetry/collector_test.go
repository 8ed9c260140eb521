// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"context"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
)

// grpcCollector is a collector over gRPC.
type grpcCollector struct {
	collector.UnimplementedTraceServiceServer
	*collected
}

// Export takes spans.
func (g grpcCollector) Export(_ context.Context, r *collector.ExportTraceServiceRequest) (*collector.ExportTraceServiceResponse, error) {
	g.add(r, nil)
	return &collector.ExportTraceServiceResponse{}, nil
}
