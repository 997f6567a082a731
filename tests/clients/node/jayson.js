// jayson: a connection of its own for each call, ids that are UUIDs. So it cannot subscribe, and asks for events by pages.
'use strict';
const jayson = require('jayson/promise');
const { report, run } = require('./report');

const connect = (path) => jayson.Client.tcp({ path });

async function resultOf(promise) {
  const answer = await promise;
  if (answer.error) throw new Error(JSON.stringify(answer.error));
  return answer.result;
}

async function errorOf(promise) {
  const { error } = await promise;
  return { code: error.code, name: error.data.name, message: error.message };
}

run({
  async call(pipe) {
    const client = connect(pipe);
    const status = await resultOf(client.request('service.status', {}));
    const pool = await resultOf(client.request('pool.create', { name: 'from-jayson', description: 'é😀 \\ " from jayson' }));
    await resultOf(client.request('pool.delete', { pool: 'from-jayson' }));
    const fixed = await resultOf(client.request('pool.get', { pool: 'fixed' }));
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

  async batch(pipe) {
    const client = connect(pipe);
    const answers = await client.request([
      client.request('pool.get', { pool: 'fixed' }, 0, false),
      client.request('pool.get', { pool: 'nowhere' }, 'b', false),
      client.request('service.status', {}, 'c', false),
    ]);
    report(answers.map((answer) => (answer.error ? answer.error.code : answer.result.name || answer.result.protocol)));
  },

  async parallel(pipe) {
    const client = connect(pipe);
    const pools = await Promise.all(Array.from({ length: 20 }, () => resultOf(client.request('pool.get', { pool: 'fixed' }))));
    report(pools.filter((pool) => pool.name === 'fixed').length);
  },

  // All events since a number, page by page.
  async pages(pipe, from, wanted) {
    const client = connect(pipe);
    const seen = { count: 0, ordered: true, gaps: 0, last: 0 };
    let next = Number(from);
    let page;
    do {
      page = await resultOf(client.request('events.query', { pools: ['storm'], messages: ['POOL_UPDATED'], fromSeq: next }));
      for (const event of page.events) {
        seen.ordered = seen.ordered && event.seq > seen.last;
        seen.last = event.seq;
        seen.count++;
      }
      next = seen.last + 1;
    } while (page.more);
    if (seen.count !== Number(wanted)) throw new Error(`${seen.count} events instead of ${wanted}`);
    report(seen);
  },
});
