import { expect, test } from 'vitest';
import { openCall, withNews, withSignal } from '../src/call.ts';
import { type ProgressEvent, warning } from '../src/progress.ts';

test('what is told within a call carries its task, which no other call has', () => {
  const events: ProgressEvent[] = [];
  const emit = (event: ProgressEvent) => void events.push(event);
  const [first, second] = [openCall('pull', { emit }), openCall('pull', { emit })];
  first.emit(warning('one'));
  second.emit(warning('two'));
  expect(events).toMatchObject([
    { task: first.task, type: 'message', text: 'one' },
    { task: second.task, type: 'message', text: 'two' },
  ]);
  expect(first.task).toMatch(/^pull-[0-9a-z]{8}$/);
  expect(second.task).not.toBe(first.task);
});

test('a part of a call may end by itself, and tell less', () => {
  const events: ProgressEvent[] = [];
  const call = openCall('build', { emit: (event) => void events.push(event) });
  const controller = new AbortController();
  const part = withNews(withSignal(call, controller.signal), (news) =>
    news.type === 'layer' ? undefined : news,
  );
  controller.abort();
  expect([call.signal.aborted, part.signal.aborted]).toEqual([false, true]);
  part.emit({ type: 'layer', digest: `sha256:${'0'.repeat(64)}`, state: 'waiting' } as never);
  part.emit(warning('told'));
  expect(events).toMatchObject([{ task: call.task, text: 'told' }]);
});
