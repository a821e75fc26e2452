// Makes the hostile layers beside it from the table in test/support/hostile/hostile-tars.ts, but for those that are big:
//   node testdata/layer/hostile/make.ts
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HOSTILE_TARS, hostileFileName, isKept } from '../../../test/support/hostile/hostile-tars.ts';

const folder = import.meta.dirname;
for (const name of readdirSync(folder)) if (name !== 'make.ts') rmSync(join(folder, name));
for (const hostile of HOSTILE_TARS) {
  const bytes = hostile.bytes();
  if (isKept(bytes)) writeFileSync(join(folder, hostileFileName(hostile)), bytes);
}
