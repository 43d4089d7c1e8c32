package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	quoratev1 "quorate.dev/sdk/gen/quorate/v1"
)

const (
	// How long one attempt may take. Short, so that a member that has just died costs little.
	attempt = 2 * time.Second
	// How long a call is repeated.
	patience = 30 * time.Second
	// How long to wait before the next attempt.
	pause = 100 * time.Millisecond
)

// newRequestID makes a UUID of version 7 (RFC 9562): a name for one intended change, kept when it is repeated.
func newRequestID() string {
	var id [16]byte
	if _, err := rand.Read(id[:]); err != nil {
		panic(err)
	}
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(time.Now().UnixMilli()))
	copy(id[:6], ms[2:])
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}

// isPassing tells whether an error may go away by itself.
func isPassing(err error) bool {
	switch status.Code(err) {
	case codes.Unavailable, codes.ResourceExhausted, codes.DeadlineExceeded:
		return true
	}
	return false
}

// reasonOf gives the stable reason of an error and its outcome, "not-done" or "unknown".
func reasonOf(err error) (reason, outcome string) {
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			return info.Reason, info.Metadata["outcome"]
		}
	}
	// Not from a member: the connection broke, or nobody answered in time.
	return status.Code(err).String(), "unknown"
}

// cluster sends a call that failed to the next member: any member takes any call.
type cluster struct {
	connections []*grpc.ClientConn
	current     uint32
}

// dial makes a cluster. With a TLS configuration it speaks TLS, without one plain text.
func dial(endpoints []string, secure *tls.Config) (*cluster, error) {
	transport := grpc.WithInsecure()
	if secure != nil {
		transport = grpc.WithTransportCredentials(credentials.NewTLS(secure))
	}
	c := &cluster{}
	for _, endpoint := range endpoints {
		connection, err := grpc.Dial(endpoint, transport)
		if err != nil {
			return nil, err
		}
		c.connections = append(c.connections, connection)
	}
	return c, nil
}

// tlsFromEnvironment reads what QUORATE_CA_FILE, QUORATE_CERT_FILE and QUORATE_KEY_FILE name; nil without the first.
func tlsFromEnvironment() (*tls.Config, error) {
	caFile, certFile := os.Getenv("QUORATE_CA_FILE"), os.Getenv("QUORATE_CERT_FILE")
	if caFile == "" {
		return nil, nil
	}
	authorities, err := os.ReadFile(caFile)
	if err != nil {
		return nil, err
	}
	secure := &tls.Config{RootCAs: x509.NewCertPool()}
	if !secure.RootCAs.AppendCertsFromPEM(authorities) {
		return nil, fmt.Errorf("%s holds no certificate in PEM", caFile)
	}
	if certFile == "" {
		return secure, nil
	}
	own, err := tls.LoadX509KeyPair(certFile, os.Getenv("QUORATE_KEY_FILE"))
	secure.Certificates = []tls.Certificate{own}
	return secure, err
}

func (c *cluster) connection() *grpc.ClientConn {
	return c.connections[int(atomic.LoadUint32(&c.current))%len(c.connections)]
}

// next leaves the member that did not answer.
func (c *cluster) next() {
	atomic.AddUint32(&c.current, 1)
	time.Sleep(pause)
}

// call repeats do until it is answered. That is safe for reads, and for mutations with a request id: whichever attempt
// took effect, the change is made once, and its answer is the same.
func (c *cluster) call(do func(context.Context, *grpc.ClientConn) error) error {
	for giveUpAt := time.Now().Add(patience); ; c.next() {
		ctx, cancel := context.WithTimeout(context.Background(), attempt)
		err := do(ctx, c.connection())
		cancel()
		if err == nil || !isPassing(err) || time.Now().After(giveUpAt) {
			return err
		}
	}
}

// watch tells every change below a prefix, in order, until ctx ends: when the stream breaks, it goes on after the last
// message.
func (c *cluster) watch(ctx context.Context, prefix string, from int64, onEvent func(*quoratev1.Event)) error {
	token := ""
	for ; ctx.Err() == nil; c.next() {
		request := &quoratev1.WatchRequest{Selection: &quoratev1.WatchRequest_Prefix{Prefix: prefix}, ResumeToken: token}
		if token == "" {
			request.StartRevision = from
		}
		stream, err := quoratev1.NewKVServiceClient(c.connection()).Watch(ctx, request)
		for err == nil {
			var message *quoratev1.WatchResponse
			if message, err = stream.Recv(); err != nil {
				break
			}
			for _, event := range message.GetEvents().GetEvents() {
				onEvent(event)
			}
			token = message.ResumeToken
		}
		if ctx.Err() == nil && !isPassing(err) {
			return err
		}
	}
	return nil
}
