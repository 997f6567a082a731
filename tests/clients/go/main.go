//go:build windows

// A client of the service in Go, with sourcegraph/jsonrpc2: client.exe SCENARIO PIPE FRAMING [ARGUMENT]. Says what it saw as one
// line of JSON.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/sourcegraph/jsonrpc2"
)

type object = map[string]interface{}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func report(what interface{}) {
	fail(json.NewEncoder(os.Stdout).Encode(what))
}

// One JSON value after the other. The library's own PlainObjectCodec makes a new decoder for each message, and with it what the
// last one had read ahead is lost: it is good for who waits for each answer, not for who subscribes.
type lines struct {
	pipe    io.ReadWriteCloser
	encoder *json.Encoder
	decoder *json.Decoder
}

func (lines lines) WriteObject(value interface{}) error { return lines.encoder.Encode(value) }
func (lines lines) ReadObject(value interface{}) error  { return lines.decoder.Decode(value) }
func (lines lines) Close() error                        { return lines.pipe.Close() }

func stream(pipe io.ReadWriteCloser, framing string) jsonrpc2.ObjectStream {
	switch framing {
	case "content-length":
		return jsonrpc2.NewBufferedStream(pipe, jsonrpc2.VSCodeObjectCodec{})
	case "plain":
		return jsonrpc2.NewBufferedStream(pipe, jsonrpc2.PlainObjectCodec{})
	}
	return lines{pipe, json.NewEncoder(pipe), json.NewDecoder(pipe)}
}

// What the service sends without being asked.
type listener struct {
	events   chan object
	progress chan object
}

func (listener listener) Handle(_ context.Context, _ *jsonrpc2.Conn, request *jsonrpc2.Request) {
	var params object
	if request.Params == nil || json.Unmarshal(*request.Params, &params) != nil {
		return
	}
	switch request.Method {
	case "event":
		listener.events <- params
	case "$/progress":
		listener.progress <- params
	}
}

func call(ctx context.Context, client *jsonrpc2.Conn) {
	var status, pool object
	fail(client.Call(ctx, "service.status", object{}, &status))
	fail(client.Call(ctx, "pool.create", object{"name": "from-go", "description": "é😀 \\ \" from Go"}, &pool))
	fail(client.Call(ctx, "pool.delete", object{"pool": "from-go"}, nil))
	var named object
	fail(client.Call(ctx, "pool.get", object{"pool": "fixed"}, &named, jsonrpc2.StringID()))
	report(object{"protocol": status["protocol"], "name": pool["name"], "description": pool["description"], "fixed": named["name"]})
}

func errors(ctx context.Context, client *jsonrpc2.Conn) {
	seen := []object{}
	for _, wrong := range []struct {
		method string
		params object
	}{{"pool.get", object{"pool": "nowhere"}}, {"no.such", object{}}, {"pool.get", object{"poool": 1}}} {
		err, ok := client.Call(ctx, wrong.method, wrong.params, nil).(*jsonrpc2.Error)
		if !ok {
			fail(fmt.Errorf("%s did not fail as it should", wrong.method))
		}
		var data object
		fail(json.Unmarshal(*err.Data, &data))
		seen = append(seen, object{"code": err.Code, "name": data["name"], "message": err.Message})
	}
	report(seen)
}

// The library forgets a call whose context ends and tells nobody; so the server is told here.
func cancel(ctx context.Context, client *jsonrpc2.Conn) {
	seen := []int64{}
	for _, how := range []string{"$/cancelRequest", "rpc.cancel"} {
		id := jsonrpc2.ID{Num: 4711}
		waiting, err := client.DispatchCall(ctx, "pool.wait", object{"pool": "busy"}, jsonrpc2.PickID(id))
		fail(err)
		fail(client.Notify(ctx, how, object{"id": id}))
		cancelled, ok := waiting.Wait(ctx, nil).(*jsonrpc2.Error)
		if !ok {
			fail(fmt.Errorf("%s did not cancel", how))
		}
		seen = append(seen, cancelled.Code)
	}
	fail(client.Call(ctx, "pool.list", object{}, nil))
	report(seen)
}

// Many at once, answered in whatever order.
func parallel(ctx context.Context, client *jsonrpc2.Conn) {
	const atOnce = 60
	right := make(chan bool)
	for i := 0; i < atOnce; i++ {
		go func() {
			var pool object
			err := client.Call(ctx, "pool.get", object{"pool": "fixed"}, &pool)
			right <- err == nil && pool["name"] == "fixed"
		}()
	}
	count := 0
	for i := 0; i < atOnce; i++ {
		if <-right {
			count++
		}
	}
	report(count)
}

// Reads so many events, and says whether they came once each, in order.
func events(ctx context.Context, client *jsonrpc2.Conn, listener listener, wanted int) {
	var subscription object
	fail(client.Call(ctx, "events.subscribe", object{"pools": []string{"storm"}, "messages": []string{"POOL_UPDATED"}}, &subscription))
	report("subscribed")
	count, ordered, last, gaps := 0, true, 0.0, 0
	for count < wanted {
		event := <-listener.events
		if event["gap"] != nil {
			gaps++
			continue
		}
		seq := event["seq"].(float64)
		ordered = ordered && seq > last
		last = seq
		count++
	}
	report(object{"count": count, "ordered": ordered, "gaps": gaps, "last": last})
}

func main() {
	if len(os.Args) < 4 {
		fail(fmt.Errorf("usage: client SCENARIO PIPE FRAMING [COUNT]"))
	}
	pipe, err := openPipe(os.Args[2])
	fail(err)
	ctx := context.Background()
	listener := listener{make(chan object, 1000), make(chan object, 1000)}
	client := jsonrpc2.NewConn(ctx, stream(pipe, os.Args[3]), listener)
	switch os.Args[1] {
	case "call":
		call(ctx, client)
	case "errors":
		errors(ctx, client)
	case "cancel":
		cancel(ctx, client)
	case "parallel":
		parallel(ctx, client)
	case "events":
		wanted, err := strconv.Atoi(os.Args[4])
		fail(err)
		events(ctx, client, listener, wanted)
	default:
		fail(fmt.Errorf("no scenario %q", os.Args[1]))
	}
	fail(client.Close())
}
