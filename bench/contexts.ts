import { randomFillSync } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Build contexts that all tools share, made anew for each bench. */
export interface Contexts {
  readonly folders: Readonly<Record<'runs' | 'files' | 'app' | 'blob', string>>;
  /** Fills the `blob` context with 100 MB that nobody has seen. */
  newBlob(): Promise<void>;
}

const FILES = 20_000;
const BLOB_BYTES = 100_000_000;

export async function makeContexts(work: string): Promise<Contexts> {
  const folder = (name: string) => {
    const path = join(work, 'contexts', name);
    mkdirSync(path, { recursive: true });
    return path;
  };
  const folders = { runs: folder('runs'), files: folder('files'), app: folder('app'), blob: folder('blob') };
  const runs = Array.from({ length: 10 }, (_, line) => `RUN echo ${line} > /file-${line}`);
  writeFileSync(join(folders.runs, 'Dockerfile'), `FROM busybox\n${runs.join('\n')}\n`);

  writeFileSync(join(folders.files, 'Dockerfile'), 'FROM busybox\nCOPY . /data/\n');
  for (let file = 0; file < FILES; file++) {
    const place = join(folders.files, `d${file % 200}`);
    if (file < 200) mkdirSync(place);
    writeFileSync(join(place, `f${file}`), `file number ${file}\n`.repeat(1 + (file % 40)));
  }

  const app = [
    'FROM node',
    'WORKDIR /app',
    'COPY package.json .',
    'COPY . .',
    'ENV NODE_ENV production',
    'EXPOSE 3000',
    'CMD ["npm", "start"]',
  ];
  writeFileSync(join(folders.app, 'Dockerfile'), `${app.join('\n')}\n`);
  writeFileSync(join(folders.app, 'package.json'), '{"name":"app","version":"1.0.0"}\n');
  for (let file = 0; file < 50; file++)
    writeFileSync(join(folders.app, `f${file}.js`), `export const n = ${file};\n`.repeat(100));

  writeFileSync(join(folders.blob, 'Dockerfile'), 'FROM busybox\nCOPY blob /blob\n');
  const newBlob = async () =>
    writeFileSync(join(folders.blob, 'blob'), randomFillSync(Buffer.alloc(BLOB_BYTES)));
  await newBlob();
  return { folders, newBlob };
}
