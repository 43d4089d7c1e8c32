//go:build debian

// Debian 12 has a gRPC that is older than the protobuf runtime its generator writes for, and cannot encode what that
// makes. This codec can. Newer versions of gRPC do the same by themselves: leave the tag `debian` out with them.
package main

import (
	"google.golang.org/grpc/encoding"
	"google.golang.org/protobuf/proto"
)

type codec struct{}

func (codec) Name() string { return "proto" }

func (codec) Marshal(message interface{}) ([]byte, error) {
	return proto.Marshal(message.(proto.Message))
}

func (codec) Unmarshal(data []byte, message interface{}) error {
	return proto.Unmarshal(data, message.(proto.Message))
}

func init() { encoding.RegisterCodec(codec{}) }
