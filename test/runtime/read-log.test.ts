import { appendFileSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { LogParser } from '../../src/runtime/log/parser.ts';
import { type ReadLogOptions, readLog } from '../../src/runtime/log/read-log.ts';

const LOG = [
  '2024-05-01T10:00:00.000000001+00:00 stdout F one',
  '2024-05-01T10:00:01.000000000+00:00 stdout P tw',
  '2024-05-01T10:00:01.000000000+00:00 stderr F error',
  '2024-05-01T10:00:02.000000000+00:00 stdout F o',
  '2024-05-01T10:00:03.000000000+00:00 stdout F ',
  '2024-05-01T10:00:04.000000000+00:00 stdout F  stdout F four',
  '2024-05-01T10:00:05.000000000+00:00 stdout P prompt> ',
  '',
].join('\n');

function logFile(content: string | Buffer = LOG): string {
  const folder = mkdtempSync(join(tmpdir(), 'ocits-log-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'log');
  writeFileSync(path, content);
  return path;
}

async function read(path: string, options: ReadLogOptions = {}): Promise<{ stdout: string; stderr: string }> {
  const texts = { stdout: '', stderr: '' };
  for await (const { stream, data } of readLog(path, options)) texts[stream] += data.toString('latin1');
  return texts;
}

test('parts are joined and the streams stay apart', async () => {
  expect(await read(logFile())).toEqual({
    stdout: 'one\ntwo\n\n stdout F four\nprompt> ',
    stderr: 'error\n',
  });
});

test('the order of the streams is kept', async () => {
  const order: string[] = [];
  for await (const { stream, data } of readLog(logFile())) order.push(`${stream} ${data}`);
  expect(order.slice(0, 3)).toEqual([
    'stdout one\ntw',
    'stderr error\n',
    'stdout o\n\n stdout F four\nprompt> ',
  ]);
});

test('times stand before lines, not before parts', async () => {
  const { stdout } = await read(logFile(), { timestamps: true });
  expect(stdout.split('\n').slice(0, 3)).toEqual([
    '2024-05-01T10:00:00.000000001Z one',
    '2024-05-01T10:00:01.000000000Z two',
    '2024-05-01T10:00:03.000000000Z ',
  ]);
});

test.each([
  ['2024-05-01T10:00:00.000000001+00:00', '2024-05-01T10:00:00.000000001Z'],
  ['2024-05-01T00:30:00.120000000+05:30', '2024-04-30T19:00:00.120000000Z'],
  ['2024-12-31T20:00:00.999999999-08:00', '2025-01-01T04:00:00.999999999Z'],
  ['2024-05-01T10:00:00.000000001Z', '2024-05-01T10:00:00.000000001Z'],
  ['yesterday', 'yesterday'],
])('the time %s of a host is %s', async (written, shown) => {
  const path = logFile(`${written} stdout F line\n`);
  expect(await read(path, { timestamps: true })).toEqual({ stdout: `${shown} line\n`, stderr: '' });
});

test.each([
  [0, ''],
  [1, 'prompt> '],
  [2, ' stdout F four\nprompt> '],
  [3, '\n stdout F four\nprompt> '],
  [100, 'one\ntwo\n\n stdout F four\nprompt> '],
])('the last %i lines', async (tail, stdout) => {
  expect((await read(logFile(), { tail })).stdout).toBe(stdout);
});

test('times bound what is read', async () => {
  const at = (second: number) => new Date(Date.UTC(2024, 4, 1, 10, 0, second));
  expect(await read(logFile(), { since: at(3) })).toEqual({
    stdout: '\n stdout F four\nprompt> ',
    stderr: '',
  });
  expect(await read(logFile(), { until: at(0) })).toEqual({ stdout: 'one\n', stderr: '' });
  expect(await read(logFile(), { since: at(4), until: at(4) })).toEqual({
    stdout: ' stdout F four\n',
    stderr: '',
  });
});

test('bytes are kept, and where the file is cut does not matter', () => {
  const bytes = Buffer.from([0, 255, 13, 27, 128, 80, 32, 70]);
  const lines = [
    Buffer.from(LOG),
    Buffer.from('2024-05-01T10:00:06.0+00:00 stdout F '),
    bytes,
    Buffer.from('\n'),
  ];
  const input = Buffer.concat(lines);
  const whole = joined(new LogParser().push(input));
  expect(whole.subarray(-9)).toEqual(Buffer.concat([bytes, Buffer.from('\n')]));
  for (const size of [1, 2, 3, 7, 44, 45, 64, 1000]) {
    const parser = new LogParser();
    const parts = Array.from({ length: Math.ceil(input.length / size) }, (_, index) =>
      joined(parser.push(input.subarray(index * size, (index + 1) * size))),
    );
    expect(Buffer.concat(parts)).toEqual(whole);
  }
});

test('what is no record is passed over', async () => {
  expect(await read(logFile(`torn\n\n \n2024 stdout X\n2024 stdout F ok\nx stdout F`))).toEqual({
    stdout: 'ok\n',
    stderr: '',
  });
  expect(await read(logFile(''))).toEqual({ stdout: '', stderr: '' });
  expect(await read('/nowhere/log')).toEqual({ stdout: '', stderr: '' });
});

test('the tail is right wherever it lies in a block', async () => {
  const text = (index: number) => `line ${index} ${'x'.repeat(index % 97)}`;
  const lines = Array.from(
    { length: 5000 },
    (_, index) => `2024-05-01T10:00:00.0+00:00 stdout F ${text(index)}\n`,
  );
  const path = logFile(lines.join(''));
  for (const tail of [1, 2, 700, 1000, 1001, 1999, 4999, 5000]) {
    const { stdout } = await read(path, { tail });
    expect(stdout.split('\n').slice(0, -1)).toEqual(
      Array.from({ length: tail }, (_, index) => text(5000 - tail + index)),
    );
  }
});

test('a followed log ends after what was written before the end', async () => {
  const path = logFile();
  const end = Promise.withResolvers<void>();
  const reading = read(path, { position: statSync(path).size, followUntil: end.promise });
  for (let index = 0; index < 5; index++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    appendFileSync(path, `2024-05-01T10:00:09.0+00:00 stdout F ${index}\n`);
  }
  appendFileSync(path, '2024-05-01T10:00:09.0+00:00 stderr F last\n');
  end.resolve();
  expect(await reading).toEqual({ stdout: '0\n1\n2\n3\n4\n', stderr: 'last\n' });
});

test('a followed log ends with its signal', async () => {
  const options = { followUntil: new Promise<void>(() => {}), signal: AbortSignal.timeout(30) };
  expect((await read(logFile(), options)).stderr).toBe('error\n');
});

function joined(chunks: readonly { readonly data: Buffer }[]): Buffer {
  return Buffer.concat(chunks.map(({ data }) => data));
}
