// A client of the service in .NET, with NamedPipeClientStream and the stream writers as they are: Client.exe SCENARIO PIPE HANDLE
// [COUNT]. HANDLE is synchronous or asynchronous. Encoding.UTF8 writes a byte order mark first, a StreamWriter ends lines with CRLF.
// Says what it saw as a line of JSON each.
using System;
using System.Collections.Generic;
using System.IO;
using System.IO.Pipes;
using System.Linq;
using System.Security.Principal;
using System.Text;
using System.Text.Json;

class Client {
    readonly StreamWriter writer;
    readonly StreamReader reader;
    int lastId = -1;

    Client(string name, PipeOptions options) {
        var pipe = new NamedPipeClientStream(".", name, PipeDirection.InOut, options, TokenImpersonationLevel.Impersonation);
        pipe.Connect(10000);
        writer = new StreamWriter(pipe, Encoding.UTF8) { AutoFlush = true, NewLine = "\r\n" };
        reader = new StreamReader(pipe, Encoding.UTF8);
    }

    static object Request(object id, string method, object parameters) =>
        new Dictionary<string, object> { ["jsonrpc"] = "2.0", ["id"] = id, ["method"] = method, ["params"] = parameters };

    void Send(object message) => writer.WriteLine(JsonSerializer.Serialize(message));

    JsonElement Receive() => JsonDocument.Parse(reader.ReadLine() ?? throw new EndOfStreamException()).RootElement;

    JsonElement Ask(string method, object parameters) {
        Send(Request(++lastId, method, parameters));
        var answer = Receive();
        if (answer.GetProperty("id").GetInt32() != lastId)
            throw new InvalidDataException("an answer to another question");
        return answer;
    }

    JsonElement Call(string method, object parameters) {
        var answer = Ask(method, parameters);
        return answer.TryGetProperty("result", out var result) ? result : throw new InvalidOperationException(answer.GetRawText());
    }

    static void Report(object what) {
        Console.WriteLine(JsonSerializer.Serialize(what));
        Console.Out.Flush();
    }

    void Calls() {
        var status = Call("service.status", new { });
        var pool = Call("pool.create", new { name = "from-dotnet", description = "é😀 \\ \" from .NET" });
        Call("pool.delete", new { pool = "from-dotnet" });
        var fixedPool = Call("pool.get", new { pool = "fixed" });
        Report(new { protocol = status.GetProperty("protocol").GetInt32(), description = pool.GetProperty("description").GetString(),
                     @fixed = fixedPool.GetProperty("name").GetString() });
    }

    void Errors() {
        var answers = new[] { Ask("pool.get", new { pool = "nowhere" }), Ask("no.such", new { }), Ask("pool.get", new { poool = 1 }) };
        Report(answers.Select(answer => answer.GetProperty("error"))
                   .Select(error => new object[] { error.GetProperty("code").GetInt32(), error.GetProperty("data").GetProperty("name").GetString() }));
    }

    void Batch() {
        Send(new[] { Request(0, "pool.get", new { pool = "fixed" }), Request("b", "pool.get", new { pool = "nowhere" }) });
        var answers = Receive().EnumerateArray().ToDictionary(answer => answer.GetProperty("id").ToString());
        Report(new object[] { answers["0"].GetProperty("result").GetProperty("name").GetString(),
                              answers["b"].GetProperty("error").GetProperty("code").GetInt32() });
    }

    void Cancel() {
        Send(Request("wait", "pool.wait", new { pool = "busy" }));
        Send(new Dictionary<string, object> { ["jsonrpc"] = "2.0", ["method"] = "$/cancelRequest", ["params"] = new { id = "wait" } });
        Report(Receive().GetProperty("error").GetProperty("code").GetInt32());
    }

    void Events(int wanted) {
        Call("events.subscribe", new { pools = new[] { "storm" }, messages = new[] { "POOL_UPDATED" } });
        Report("subscribed");
        long last = 0;
        int count = 0;
        bool ordered = true;
        while (count < wanted) {
            var news = Receive().GetProperty("params");
            if (news.TryGetProperty("gap", out _))
                continue;
            long seq = news.GetProperty("seq").GetInt64();
            ordered &= seq > last;
            last = seq;
            count++;
        }
        Report(new { count, ordered, last });
    }

    static int Main(string[] words) {
        var client = new Client(words[1], words[2] == "asynchronous" ? PipeOptions.Asynchronous : PipeOptions.None);
        switch (words[0]) {
        case "call": client.Calls(); break;
        case "errors": client.Errors(); break;
        case "batch": client.Batch(); break;
        case "cancel": client.Cancel(); break;
        case "events": client.Events(int.Parse(words[3])); break;
        default: return 2;
        }
        return 0;
    }
}
