/** Runs a process in a container on our own descriptors: `node run-exec.ts EXEC-REQUEST.json RUN-FOLDER`. */
import { readFileSync } from 'node:fs';
import { execProcess } from '../../../src/runtime/exec/exec-process.ts';
import type { ExecRequest } from '../../../src/runtime/exec/exec-request.ts';

const [requestFile = '', run = ''] = process.argv.slice(2);
const request = JSON.parse(readFileSync(requestFile, 'utf8')) as ExecRequest;
const child = await execProcess({ root: `${run}/unused`, run }, request);
process.exit(await child.wait());
