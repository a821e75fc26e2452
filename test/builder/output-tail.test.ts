import { expect, it } from 'vitest';
import { OutputTail } from '../../src/builder/run/output-tail.ts';

it('keeps the last lines, of small and large chunks alike', () => {
  const tail = new OutputTail();
  for (let line = 0; line < 5000; line++) tail.add(Buffer.from(`line ${line}\n`));
  const lines = tail.text().split('\n');
  expect(lines).toHaveLength(25);
  expect(lines.at(-1)).toBe('line 4999');
  tail.add(Buffer.from(`${'x'.repeat(1_000_000)}\nend\n`));
  expect(tail.text().endsWith('x\nend')).toBe(true);
  expect(tail.text().length).toBeLessThan(17_000);
});

it('is empty where nothing was printed', () => {
  expect(new OutputTail().text()).toBe('');
});
