/**
 * Runs a container on our own descriptors and ends as it did, for tests that need a process to look at, to kill, or on
 * a terminal: `node run-container.ts REQUEST.json RUN-FOLDER [conmon|deaf]`; deaf, it forwards no signal.
 */
import { readFileSync } from 'node:fs';
import { createConmonSupervisor } from '../../../src/runtime/conmon/conmon-supervisor.ts';
import { createDirectSupervisor } from '../../../src/runtime/crun/direct-supervisor.ts';
import type { StartRequest } from '../../../src/runtime/supervisor.ts';

const [requestFile = '', run = '', kind = 'direct'] = process.argv.slice(2);
const request = JSON.parse(readFileSync(requestFile, 'utf8')) as StartRequest;
const paths = { root: `${run}/unused`, run };
const supervisor = kind === 'conmon' ? createConmonSupervisor(paths) : createDirectSupervisor(paths);
const starting = supervisor.start(request);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (kind !== 'deaf') void starting.then((container) => container.kill(signal));
  });
}
const { exitCode } = await (await starting).wait();
process.exit(exitCode);
