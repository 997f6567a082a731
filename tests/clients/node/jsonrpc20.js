// json-rpc-2.0 on a plain socket: one message a line.
'use strict';
const net = require('net');
const { JSONRPCClient, JSONRPCServer, JSONRPCServerAndClient, createJSONRPCRequest } = require('json-rpc-2.0');
const { collect, errorOf, report, run } = require('./report');

function connect(pipe) {
  const socket = net.createConnection(pipe);
  const peer = new JSONRPCServerAndClient(
    new JSONRPCServer(),
    new JSONRPCClient((request) => new Promise((resolve, reject) => {
      socket.write(JSON.stringify(request) + '\n', (error) => (error ? reject(error) : resolve()));
    })),
  );
  let rest = '';
  socket.setEncoding('utf8');
  socket.on('data', (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop();
    for (const line of lines) peer.receiveAndSend(JSON.parse(line));
  });
  socket.on('close', () => peer.rejectAllPendingRequests('the connection was closed'));
  return peer;
}

run({
  async call(pipe) {
    const client = connect(pipe);
    const status = await client.request('service.status');
    const pool = await client.request('pool.create', { name: 'from-json-rpc-2.0', description: 'é😀 \\ " from json-rpc-2.0' });
    await client.request('pool.delete', { pool: 'from-json-rpc-2.0' });
    const fixed = await client.request('pool.get', { pool: 'fixed' });
    report({ protocol: status.protocol, name: pool.name, description: pool.description, fixed: fixed.name });
  },

  async errors(pipe) {
    const client = connect(pipe);
    report([
      await errorOf(client.request('pool.get', { pool: 'nowhere' })),
      await errorOf(client.request('no.such', {})),
      await errorOf(client.request('pool.get', { poool: 1 })),
    ]);
  },

  // The library knows no cancellation; a notification of the caller's does it.
  async cancel(pipe) {
    const client = connect(pipe);
    const codes = [];
    for (const how of ['$/cancelRequest', 'rpc.cancel']) {
      const waiting = client.requestAdvanced(createJSONRPCRequest(`wait ${how}`, 'pool.wait', { pool: 'busy' }));
      client.notify(how, { id: `wait ${how}` });
      codes.push((await waiting).error.code);
    }
    report(codes);
    await client.request('pool.list', {});
  },

  // A batch: an array of requests, one of them wrong, with ids of two kinds.
  async batch(pipe) {
    const client = connect(pipe);
    const answers = await client.client.requestAdvanced([
      createJSONRPCRequest(0, 'pool.get', { pool: 'fixed' }),
      createJSONRPCRequest('b', 'pool.get', { pool: 'nowhere' }),
      createJSONRPCRequest('c', 'service.status'),
    ]);
    report(answers.map((answer) => (answer.error ? answer.error.code : answer.result.name || answer.result.protocol)));
  },

  async parallel(pipe) {
    const client = connect(pipe);
    const pools = await Promise.all(Array.from({ length: 60 }, () => client.request('pool.get', { pool: 'fixed' })));
    report(pools.filter((pool) => pool.name === 'fixed').length);
  },

  async events(pipe, wanted) {
    const client = connect(pipe);
    await collect(Number(wanted), (handler) => {
      client.addMethod('event', handler);
      return client.request('events.subscribe', { pools: ['storm'], messages: ['POOL_UPDATED'] });
    });
  },
});
