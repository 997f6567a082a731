// The server that others would write: service.ping by vscode-jsonrpc, on a pipe.
'use strict';
const net = require('net');
const rpc = require('vscode-jsonrpc/node');

net.createServer((socket) => {
  const connection = rpc.createMessageConnection(new rpc.SocketMessageReader(socket), new rpc.SocketMessageWriter(socket));
  connection.onRequest('service.ping', () => ({ protocol: 1 }));
  connection.listen();
}).listen(`\\\\.\\pipe\\${process.argv[2]}`, () => console.log('ready'));
