// vscode-jsonrpc, in the version that VSCODE_JSONRPC names.
'use strict';
const rpc = require((process.env.VSCODE_JSONRPC || 'vscode-jsonrpc') + '/node');
const { collect, errorOf, report, run } = require('./report');

function connect(pipe) {
  const connection = rpc.createMessageConnection(...rpc.createServerPipeTransport(pipe));
  connection.onError(([error]) => { throw error; });
  connection.listen();
  return connection;
}

run({
  // Without parameters, with an object (sent bare) and by name; the first id is 0.
  async call(pipe) {
    const client = connect(pipe);
    const status = await client.sendRequest('service.status');
    const pool = await client.sendRequest('pool.create', { name: 'from-vscode', description: 'é😀 \\ " from vscode-jsonrpc' });
    await client.sendRequest('pool.delete', { pool: 'from-vscode' });
    const fixed = await client.sendRequest(new rpc.RequestType('pool.get', rpc.ParameterStructures.byName), { pool: 'fixed' });
    report({ protocol: status.protocol, name: pool.name, description: pool.description, fixed: fixed.name });
    client.end();
  },

  // One string arrives wrapped in a list; the service takes parameters by name only, and says so.
  async errors(pipe) {
    const client = connect(pipe);
    report([
      await errorOf(client.sendRequest('pool.get', { pool: 'nowhere' })),
      await errorOf(client.sendRequest('no.such', {})),
      await errorOf(client.sendRequest('pool.get', { poool: 1 })),
      await errorOf(client.sendRequest('pool.get', 'fixed')),
    ]);
  },

  async cancel(pipe) {
    const client = connect(pipe);
    const source = new rpc.CancellationTokenSource();
    const waiting = errorOf(client.sendRequest('pool.wait', { pool: 'busy' }, source.token));
    await client.sendRequest('pool.list', {});
    source.cancel();
    report([(await waiting).code]);
    await client.sendRequest('pool.list', {});
  },

  // Progress of a request that waits, until it has told so often.
  async progress(pipe, wanted) {
    const client = connect(pipe);
    const source = new rpc.CancellationTokenSource();
    const told = [];
    await new Promise((resolve) => {
      client.onProgress(new rpc.ProgressType(), 'my-token', (value) => {
        told.push(value);
        if (told.length === Number(wanted)) resolve();
      });
      client.sendRequest('pool.wait', { pool: 'busy', progressToken: 'my-token' }, source.token).catch(() => {});
    });
    source.cancel();
    report(told);
  },

  async parallel(pipe) {
    const client = connect(pipe);
    const pools = await Promise.all(Array.from({ length: 60 }, () => client.sendRequest('pool.get', { pool: 'fixed' })));
    report(pools.filter((pool) => pool.name === 'fixed').length);
  },

  async events(pipe, wanted) {
    const client = connect(pipe);
    await collect(Number(wanted), (handler) => {
      client.onNotification('event', handler);
      return client.sendRequest('events.subscribe', { pools: ['storm'], messages: ['POOL_UPDATED'] });
    });
  },

  // Reads some of the events since a number, goes away, comes again and reads the rest.
  async resume(pipe, from, wanted, until) {
    const seen = { count: 0, ordered: true, last: Number(from) - 1 };
    for (const enough of [Number(until), Number(wanted)]) {
      const client = connect(pipe);
      await new Promise((resolve, reject) => {
        client.onNotification('event', (event) => {
          if (event.gap || seen.count === enough) return;
          seen.ordered = seen.ordered && event.seq > seen.last;
          seen.last = event.seq;
          if (++seen.count === enough) resolve();
        });
        client.sendRequest('events.subscribe', { pools: ['storm'], messages: ['POOL_UPDATED'], fromSeq: seen.last + 1 }).catch(reject);
      });
      client.dispose();
    }
    report(seen);
  },
});
