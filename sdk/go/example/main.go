// A tour of quorate from Go: put, get, watch, transactions and leases, with request ids and safe repetition.
//
//	go run ./example 127.0.0.1:2379 127.0.0.1:2381 127.0.0.1:2383
//
// Stubs: see ../buf.gen.yaml. cluster.go is what a program needs beside them.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strconv"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/durationpb"

	quoratev1 "quorate.dev/sdk/gen/quorate/v1"
)

func main() {
	endpoints := os.Args[1:]
	if len(endpoints) == 0 {
		endpoints = []string{"127.0.0.1:2379"}
	}
	secure, err := tlsFromEnvironment()
	if err != nil {
		log.Fatal(err)
	}
	c, err := dial(endpoints, secure)
	check(err)
	first := putAndGet(c)
	watchAndSwap(c, first)
	lease(c)
	failure(c)
	count(c)
}

// put stores a text, once, however often it has to be repeated.
func put(c *cluster, request *quoratev1.PutRequest) *quoratev1.PutResponse {
	var response *quoratev1.PutResponse
	check(c.call(func(ctx context.Context, connection *grpc.ClientConn) (err error) {
		response, err = quoratev1.NewKVServiceClient(connection).Put(ctx, request)
		return err
	}))
	return response
}

func get(c *cluster, key string) *quoratev1.GetResponse {
	var response *quoratev1.GetResponse
	check(c.call(func(ctx context.Context, connection *grpc.ClientConn) (err error) {
		response, err = quoratev1.NewKVServiceClient(connection).Get(ctx, &quoratev1.GetRequest{Key: key})
		return err
	}))
	return response
}

func text(value string) *quoratev1.PutRequest_Text {
	return &quoratev1.PutRequest_Text{Text: value}
}

// putAndGet shows that the same put again is recognised. It returns the revision of the put.
func putAndGet(c *cluster) int64 {
	request := &quoratev1.PutRequest{Key: "go/greeting", Value: text("hello"), RequestId: newRequestID()}
	first, again := put(c, request), put(c, request)
	fmt.Printf("put: replayed %t, then %t; same revision %t\n", first.Replayed, again.Replayed, first.Revision == again.Revision)
	fmt.Printf("get: %s\n", get(c, "go/greeting").Kv.GetText())
	return first.Revision
}

// watchAndSwap replaces the value only if nobody has changed it, and sees it happen.
func watchAndSwap(c *cluster, first int64) {
	ctx, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	// Watches from the first put on: its past is told, too.
	events := make(chan string, 2)
	go func() {
		check(c.watch(ctx, "go/greeting", first, func(event *quoratev1.Event) {
			events <- event.Kv.Key + "=" + event.Kv.GetText()
		}))
	}()
	fmt.Printf("txn: succeeded %t\n", swap(c, first))
	fmt.Printf("txn: succeeded %t\n", swap(c, first))
	fmt.Printf("watch: %s, %s\n", <-events, <-events)
}

func swap(c *cluster, revision int64) bool {
	request := &quoratev1.TxnRequest{
		Compares: []*quoratev1.Compare{{
			Selection: &quoratev1.Compare_Key{Key: "go/greeting"},
			Target:    &quoratev1.Compare_ModRevision{ModRevision: revision},
		}},
		Success: []*quoratev1.Operation{{Operation: &quoratev1.Operation_Put{Put: &quoratev1.PutOperation{
			Key:   "go/greeting",
			Value: &quoratev1.PutOperation_Text{Text: "hello again"},
		}}}},
		RequestId: newRequestID(),
	}
	var response *quoratev1.TxnResponse
	check(c.call(func(ctx context.Context, connection *grpc.ClientConn) (err error) {
		response, err = quoratev1.NewKVServiceClient(connection).Txn(ctx, request)
		return err
	}))
	return response.Succeeded
}

// lease shows that a key ends with its lease.
func lease(c *cluster) {
	var granted *quoratev1.GrantResponse
	grant := &quoratev1.GrantRequest{Ttl: durationpb.New(10 * time.Second), RequestId: newRequestID()}
	check(c.call(func(ctx context.Context, connection *grpc.ClientConn) (err error) {
		granted, err = quoratev1.NewLeaseServiceClient(connection).Grant(ctx, grant)
		return err
	}))
	expiry := &quoratev1.PutRequest_LeaseId{LeaseId: granted.LeaseId}
	put(c, &quoratev1.PutRequest{Key: "go/alive", Value: text("yes"), Expiry: expiry, RequestId: newRequestID()})
	fmt.Printf("lease: kept alive %t\n", keepAlive(c, granted.LeaseId))
	revoke := &quoratev1.RevokeRequest{LeaseId: granted.LeaseId, RequestId: newRequestID()}
	check(c.call(func(ctx context.Context, connection *grpc.ClientConn) error {
		_, err := quoratev1.NewLeaseServiceClient(connection).Revoke(ctx, revoke)
		return err
	}))
	fmt.Printf("lease: key left %t\n", get(c, "go/alive").Found)
}

func keepAlive(c *cluster, id int64) bool {
	var found bool
	check(c.call(func(ctx context.Context, connection *grpc.ClientConn) error {
		stream, err := quoratev1.NewLeaseServiceClient(connection).KeepAlive(ctx)
		if err != nil {
			return err
		}
		if err := stream.Send(&quoratev1.KeepAliveRequest{LeaseIds: []int64{id}}); err != nil {
			return err
		}
		answer, err := stream.Recv()
		if err == nil {
			found = answer.Leases[0].Found
		}
		return err
	}))
	return found
}

// failure shows what an error tells: here, that a condition does not hold.
func failure(c *cluster) {
	err := c.call(func(ctx context.Context, connection *grpc.ClientConn) error {
		request := &quoratev1.PutRequest{Key: "go/greeting", Value: text("new"), IfAbsent: true}
		_, err := quoratev1.NewKVServiceClient(connection).Put(ctx, request)
		return err
	})
	reason, outcome := reasonOf(err)
	fmt.Println("error:", reason, outcome)
}

// count makes many changes, each with an id: members may die meanwhile, and each is made once.
func count(c *cluster) {
	times, err := strconv.Atoi(os.Getenv("COUNT"))
	if err != nil {
		times = 100
	}
	fmt.Println("counting")
	var version int64
	for i := 0; i < times; i++ {
		version = put(c, &quoratev1.PutRequest{Key: "go/count", Value: text(""), RequestId: newRequestID()}).Version
	}
	fmt.Printf("count: %d of %d\n", version, times)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
