// What the tests read: one line of JSON for each thing to tell. Standard output is a file, so a write is done when it returns.
'use strict';
const fs = require('fs');

const pipeName = (name) => `\\\\.\\pipe\\${name}`;
const report = (what) => fs.writeSync(1, JSON.stringify(what) + '\n');

// Runs the scenario that the command line names: SCENARIO PIPE [ARGUMENT ...].
function run(scenarios) {
  const [name, pipe, ...rest] = process.argv.slice(2);
  scenarios[name](pipeName(pipe), ...rest).then(
    () => process.exit(0),
    (error) => {
      fs.writeSync(2, `${error.stack || error}\n`);
      process.exit(1);
    },
  );
}

// The code, name and message of the error that a promise must end with.
async function errorOf(promise) {
  let result;
  try {
    result = await promise;
  } catch (error) {
    return { code: error.code, name: error.data && error.data.name, message: error.message };
  }
  throw new Error(`succeeded: ${JSON.stringify(result)}`);
}

// Reads so many events, and says whether they came once each, in order: (wanted, (handler) => begin) -> report.
function collect(wanted, begin) {
  return new Promise((resolve, reject) => {
    const seen = { count: 0, ordered: true, gaps: 0, last: 0 };
    begin((event) => {
      if (event.gap) {
        seen.gaps++;
        return;
      }
      seen.ordered = seen.ordered && event.seq > seen.last;
      seen.last = event.seq;
      if (++seen.count === wanted) {
        report(seen);
        resolve();
      }
    }).then(() => report('subscribed'), reject);
  });
}

module.exports = { collect, errorOf, report, run };
