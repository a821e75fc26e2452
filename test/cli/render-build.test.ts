import { describe, expect, it } from 'vitest';
import { plainBuildRenderer } from '../../src/cli/render/build-plain.ts';
import { openBuildRenderer } from '../../src/cli/render/build-renderer.ts';
import { terminalBuildRenderer } from '../../src/cli/render/build-terminal.ts';
import type { ProgressEvent } from '../../src/progress.ts';

class TestScreen {
  text = '';
  readonly isTerminal: boolean = false;
  readonly columns: number = 60;
  readonly rows: number = 20;
  readonly colours: boolean = false;
  write(text: string): void {
    this.text += text;
  }
}

const output = (stepId: string, text: string): ProgressEvent => ({
  task: 'build-1',
  type: 'output',
  stepId,
  stream: 'stdout',
  data: Buffer.from(text),
});

describe('the plain renderer', () => {
  const play = (events: readonly (ProgressEvent | number)[]): string => {
    const screen = new TestScreen();
    let now = 0;
    const renderer = plainBuildRenderer(screen, () => now);
    for (const event of events) {
      if (typeof event === 'number') now += event;
      else renderer.emit(event);
    }
    renderer.close();
    return screen.text;
  };

  it('prints steps, their output and how they ended', () => {
    const text = play([
      { task: 'build-1', type: 'step', id: '7', label: '[1/2] FROM busybox', state: 'started' },
      { task: 'build-1', type: 'status', stepId: '7', name: 'sha256:abc', isDone: false, bytes: 1 },
      {
        task: 'build-1',
        type: 'status',
        stepId: '7',
        name: 'sha256:abc',
        isDone: true,
        bytes: 1500,
        totalBytes: 1500,
      },
      { task: 'build-1', type: 'step', id: '7', label: '[1/2] FROM busybox', state: 'done', durationMs: 250 },
      { task: 'build-1', type: 'step', id: '9', label: '[2/2] RUN make', state: 'started' },
      {
        task: 'build-1',
        type: 'step',
        id: '9',
        label: '[2/2] RUN make',
        state: 'started',
        reason: 'changed: command',
      },
      123,
      output('9', 'one\r\ntw'),
      output('9', 'o\nlast'),
      {
        task: 'build-1',
        type: 'step',
        id: '9',
        label: '[2/2] RUN make',
        state: 'failed',
        reason: 'exit code: 2',
      },
    ]);
    expect(text).toBe(
      [
        '#1 [1/2] FROM busybox',
        '#1 sha256:abc 1.5kB / 1.5kB done',
        '#1 DONE 0.3s',
        '',
        '#2 [2/2] RUN make',
        '#2 cache miss: changed: command',
        '#2 0.123 one',
        '#2 0.123 two',
        '#2 0.123 last',
        '#2 ERROR: exit code: 2',
        '',
        '',
      ].join('\n'),
    );
  });

  it('says which step goes on where two work at once', () => {
    const text = play([
      { task: 'build-1', type: 'step', id: '1', label: 'a', state: 'started' },
      { task: 'build-1', type: 'step', id: '2', label: 'b', state: 'started' },
      output('1', 'x\n'),
      { task: 'build-1', type: 'step', id: '2', label: 'b', state: 'cached' },
      { task: 'build-1', type: 'step', id: '1', label: 'a', state: 'cancelled' },
    ]);
    expect(text.split('\n')).toEqual([
      ...['#1 a', '#1 ...', '', '#2 b', '#2 ...', '', '#1 a', '#1 0.000 x', '#1 ...', ''],
      ...['#2 b', '#2 CACHED', '', '#1 a', '#1 CANCELED', '', ''],
    ]);
  });

  it('keeps characters whole that arrive in two pieces, and cuts an endless line', () => {
    const [first, second] = [Buffer.from('é').subarray(0, 1), Buffer.from('é\n').subarray(1)];
    const text = play([
      { task: 'build-1', type: 'step', id: '1', label: 'a', state: 'started' },
      { task: 'build-1', type: 'output', stepId: '1', stream: 'stderr', data: first },
      { task: 'build-1', type: 'output', stepId: '1', stream: 'stderr', data: second },
      output('1', 'x'.repeat(5000)),
    ]);
    expect(text).toContain('#1 0.000 é\n');
    expect(text).toContain(`#1 0.000 ${'x'.repeat(5000)}\n`);
  });

  it('prints warnings', () => {
    expect(play([{ task: 'build-1', type: 'message', level: 'warning', text: 'careful' }])).toBe(
      'WARNING: careful\n',
    );
  });
});

describe('the terminal renderer', () => {
  it('draws the whole build at its end, and nothing that moves the cursor comes from a step', () => {
    const screen = new TestScreen();
    const renderer = terminalBuildRenderer(screen);
    renderer.emit({ task: 'build-1', type: 'step', id: '1', label: '[1/2] FROM busybox', state: 'started' });
    renderer.emit({ task: 'build-1', type: 'step', id: '1', label: '[1/2] FROM busybox', state: 'cached' });
    renderer.emit({
      task: 'build-1',
      type: 'step',
      id: '2',
      label: `[2/2] RUN ${'x'.repeat(90)}`,
      state: 'started',
    });
    renderer.emit(output('2', 'a\x1b[2Jb\x07\n'));
    renderer.close();
    renderer.close();
    const lines = screen.text.split('\n').map((line) => line.replace(/\x1b\[K$/, ''));
    expect(lines[0]).toMatch(/^\[\+\] Building \d+\.\ds \(1\/2\)$/);
    expect(lines[1]).toMatch(/^ => CACHED \[1\/2\] FROM busybox +0\.0s$/);
    expect(lines[2]).toMatch(/^ => \[2\/2\] RUN x+ 0\.0s$/);
    expect(lines[3]).toBe(' => => # ab');
    expect(lines.every((line) => line.length < 60)).toBe(true);
  });
});

describe('openBuildRenderer', () => {
  it('prints lines where there is no terminal, and JSON or nothing where that is asked for', () => {
    const step: ProgressEvent = { task: 'build-1', type: 'step', id: '1', label: 'a', state: 'started' };
    const shown = (mode: 'auto' | 'plain' | 'rawjson' | 'quiet') => {
      const screen = new TestScreen();
      const renderer = openBuildRenderer(mode, screen);
      renderer.emit(step);
      renderer.close();
      return screen.text;
    };
    expect(shown('auto')).toBe('#1 a\n');
    expect(shown('plain')).toBe('#1 a\n');
    expect(JSON.parse(shown('rawjson'))).toEqual({ v: 1, ...step });
    expect(shown('quiet')).toBe('');
  });
});
