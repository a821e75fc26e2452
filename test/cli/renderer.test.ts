import { afterEach, describe, expect, test, vi } from 'vitest';
import { openRenderer } from '../../src/cli/render/renderer.ts';
import type { Screen } from '../../src/cli/render/screen.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { EVENTS_VERSION, type ProgressEvent } from '../../src/progress.ts';

const DIGEST = digestOf('layer');
const SHORT = DIGEST.slice(7, 19);

function screen(isTerminal: boolean): Screen & { readonly text: () => string } {
  let written = '';
  return {
    write: (text) => {
      written += text;
    },
    isTerminal,
    columns: 60,
    colours: false,
    text: () => written,
  };
}

function play(
  mode: Parameters<typeof openRenderer>[0],
  isTerminal: boolean,
  events: readonly ProgressEvent[],
): string {
  const target = screen(isTerminal);
  const renderer = openRenderer(mode, target);
  for (const event of events) renderer.emit(event);
  renderer.close();
  renderer.close();
  return target.text();
}

const PULL: readonly ProgressEvent[] = [
  { task: 'build-1', type: 'image', state: 'pulling', reference: 'node:latest' },
  { task: 'build-1', type: 'layer', digest: DIGEST, state: 'waiting' },
  { task: 'build-1', type: 'layer', digest: DIGEST, state: 'downloading', bytes: 10, totalBytes: 100 },
  { task: 'build-1', type: 'layer', digest: DIGEST, state: 'downloading', bytes: 100, totalBytes: 100 },
  { task: 'build-1', type: 'layer', digest: DIGEST, state: 'downloaded' },
  { task: 'build-1', type: 'layer', digest: DIGEST, state: 'unpacked' },
  { task: 'build-1', type: 'image', state: 'pulled', reference: 'node:latest' },
];

afterEach(() => {
  vi.unstubAllEnvs();
  vi.useRealTimers();
});

describe('renderers', () => {
  test('plain: a line whenever a layer changes its state', () => {
    const lines = [
      'Pulling node:latest',
      `${SHORT}: Pulling fs layer`,
      `${SHORT}: Download complete`,
      `${SHORT}: Pull complete`,
    ];
    expect(play('plain', true, PULL)).toBe(
      `${lines.join('\n')}\nStatus: Downloaded newer image for node:latest\n`,
    );
  });

  test('auto is plain without a terminal, and redraws on one', () => {
    expect(play('auto', false, PULL)).not.toContain('\x1b');
    expect(play('auto', true, PULL)).toContain('\x1b[K');
  });

  test('a bar shows what is done of all, and fits the width', () => {
    vi.useFakeTimers();
    const target = screen(true);
    const renderer = openRenderer('tty', target);
    renderer.emit({
      task: 'build-1',
      type: 'layer',
      digest: DIGEST,
      state: 'downloading',
      bytes: 5_000_000,
      totalBytes: 10_000_000,
    });
    vi.advanceTimersByTime(150);
    const [line = ''] = target.text().split('\n');
    expect(line).toContain('Downloading');
    expect(line).toMatch(/\[=+>? *\]/);
    expect(line.replace('\x1b[K', '').length).toBeLessThan(60);
    renderer.close();
  });

  test('json: an event a line', () => {
    const text = play('json', false, [
      ...PULL,
      { task: 'build-1', type: 'output', stepId: '1', stream: 'stdout', data: Buffer.from('hi') },
    ]);
    const events = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { v: number; type: string; data?: string });
    expect(events.every(({ v }) => v === EVENTS_VERSION)).toBe(true);
    expect(events.map(({ type }) => type)).toEqual([...PULL.map(({ type }) => type), 'output']);
    expect(Buffer.from(events.at(-1)!.data!, 'base64').toString()).toBe('hi');
  });

  test('quiet: warnings only; debug messages only where they are asked for', () => {
    const messages: ProgressEvent[] = [
      { task: 'build-1', type: 'message', level: 'warning', text: 'careful' },
      { task: 'build-1', type: 'message', level: 'debug', text: 'detail' },
    ];
    vi.stubEnv('OCITS_DEBUG', '');
    expect(play('quiet', false, [...PULL, ...messages])).toBe('WARNING: careful\n');
    vi.stubEnv('OCITS_DEBUG', '1');
    expect(play('quiet', false, messages)).toBe('WARNING: careful\ndetail\n');
  });

  test('BUILDKIT_PROGRESS counts where no mode is given', () => {
    vi.stubEnv('BUILDKIT_PROGRESS', 'plain');
    expect(play(undefined, true, PULL)).not.toContain('\x1b');
  });
});
