/**
 * Runs containers, or processes in one, one after the other on our own descriptors:
 * `node run-repeatedly.ts run|exec REQUESTS.json RUN-FOLDER`. Ends with 1 where one does not end with 0.
 */
import { readFileSync } from 'node:fs';
import { createDirectSupervisor } from '../../../src/runtime/crun/direct-supervisor.ts';
import { execProcess } from '../../../src/runtime/exec/exec-process.ts';
import type { ExecRequest } from '../../../src/runtime/exec/exec-request.ts';
import type { StartRequest } from '../../../src/runtime/supervisor.ts';

const [kind = 'run', file = '', run = ''] = process.argv.slice(2);
const paths = { root: `${run}/unused`, run };
for (const request of JSON.parse(readFileSync(file, 'utf8'))) {
  if (kind === 'run') {
    const container = await createDirectSupervisor(paths).start(request as StartRequest);
    if ((await container.wait()).exitCode !== 0) process.exit(1);
  } else if ((await (await execProcess(paths, request as ExecRequest)).wait()) !== 0) {
    process.exit(1);
  }
}
