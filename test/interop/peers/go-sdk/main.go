// Emits the records of an OTLP/JSON file through the OpenTelemetry Logs SDK for Go.
//
// Usage: send-logs RECORDS.json, with OTEL_EXPORTER_OTLP_LOGS_ENDPOINT, _COMPRESSION and _PROTOCOL.
// Exits 0 when the exporter reported success, 1 when not, 3 when it lacks the protocol.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/sdk"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/trace"
)

type file struct {
	Resource struct{ Attributes []keyValue }
	Scope    struct {
		Name, Version string
		Attributes    []keyValue
	}
	Records []record
}

type record struct {
	TimeUnixNano         int64 `json:",string"`
	ObservedTimeUnixNano int64 `json:",string"`
	SeverityNumber       int
	SeverityText         string
	EventName            string
	TraceID, SpanID      string
	Flags                byte
	Body                 anyValue
	Attributes           []keyValue
}

type keyValue struct {
	Key   string
	Value anyValue
}

type anyValue struct {
	StringValue *string
	BoolValue   *bool
	IntValue    *int64 `json:",string"`
	DoubleValue *double
	BytesValue  []byte
	ArrayValue  *struct{ Values []anyValue }
	KvlistValue *struct{ Values []keyValue }
}

// double also reads the strings "NaN", "Infinity" and "-Infinity".
type double float64

func (d *double) UnmarshalJSON(text []byte) error {
	number, err := strconv.ParseFloat(strings.Trim(string(text), `"`), 64)
	*d = double(number)
	return err
}

func native(v anyValue) attribute.Value {
	switch {
	case v.StringValue != nil:
		return attribute.StringValue(*v.StringValue)
	case v.BoolValue != nil:
		return attribute.BoolValue(*v.BoolValue)
	case v.IntValue != nil:
		return attribute.Int64Value(*v.IntValue)
	case v.DoubleValue != nil:
		return attribute.Float64Value(float64(*v.DoubleValue))
	case v.BytesValue != nil:
		return attribute.ByteSliceValue(v.BytesValue)
	case v.ArrayValue != nil:
		items := make([]attribute.Value, len(v.ArrayValue.Values))
		for i, item := range v.ArrayValue.Values {
			items[i] = native(item)
		}
		return attribute.SliceValue(items...)
	case v.KvlistValue != nil:
		return attribute.MapValue(attributes(v.KvlistValue.Values)...)
	}
	return attribute.Value{}
}

func attributes(pairs []keyValue) []attribute.KeyValue {
	list := make([]attribute.KeyValue, len(pairs))
	for i, pair := range pairs {
		list[i] = attribute.KeyValue{Key: attribute.Key(pair.Key), Value: native(pair.Value)}
	}
	return list
}

func contextOf(r record) (context.Context, error) {
	if r.TraceID == "" {
		return context.Background(), nil
	}
	traceID, traceErr := trace.TraceIDFromHex(r.TraceID)
	spanID, spanErr := trace.SpanIDFromHex(r.SpanID)
	span := trace.NewSpanContext(trace.SpanContextConfig{TraceID: traceID, SpanID: spanID, TraceFlags: trace.TraceFlags(r.Flags)})
	return trace.ContextWithSpanContext(context.Background(), span), errors.Join(traceErr, spanErr)
}

func emit(logger log.Logger, r record) error {
	var out log.Record
	if r.TimeUnixNano != 0 {
		out.SetTimestamp(time.Unix(0, r.TimeUnixNano))
	}
	out.SetObservedTimestamp(time.Unix(0, r.ObservedTimeUnixNano))
	out.SetSeverity(log.Severity(r.SeverityNumber))
	out.SetSeverityText(r.SeverityText)
	out.SetEventName(r.EventName)
	out.SetBody(native(r.Body))
	out.AddAttributes(attributes(r.Attributes)...)
	ctx, err := contextOf(r)
	if err == nil {
		logger.Emit(ctx, out)
	}
	return err
}

func send(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var data file
	if err := json.Unmarshal(text, &data); err != nil {
		return err
	}
	ctx := context.Background()
	exporter, err := otlploghttp.New(ctx)
	if err != nil {
		return err
	}
	provider := sdklog.NewLoggerProvider(
		sdklog.WithResource(resource.NewSchemaless(attributes(data.Resource.Attributes)...)),
		// No timed export: only ForceFlush returns the exporter's error.
		sdklog.WithProcessor(sdklog.NewBatchProcessor(exporter, sdklog.WithExportInterval(time.Hour))),
	)
	logger := provider.Logger(data.Scope.Name,
		log.WithInstrumentationVersion(data.Scope.Version),
		log.WithInstrumentationAttributes(attributes(data.Scope.Attributes)...))
	for _, r := range data.Records {
		if err := emit(logger, r); err != nil {
			return err
		}
	}
	return errors.Join(provider.ForceFlush(ctx), provider.Shutdown(ctx))
}

func main() {
	// The exporter does not look at this variable: it only has http/protobuf.
	if protocol := os.Getenv("OTEL_EXPORTER_OTLP_LOGS_PROTOCOL"); protocol != "" && protocol != "http/protobuf" {
		fmt.Fprintf(os.Stderr, "no exporter for the protocol %s\n", protocol)
		os.Exit(3)
	}
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: send-logs RECORDS.json")
		os.Exit(2)
	}
	err := send(os.Args[1])
	fmt.Printf(`{"sdk": "opentelemetry-go %s", "unsupported": {}}`+"\n", sdk.Version())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
