import { describe, expect, it } from 'vitest';
import { solve } from '../../src/builder/solve/solve.ts';

interface Node {
  readonly name: string;
  readonly inputs: readonly Node[];
}

const node = (name: string, ...inputs: Node[]): Node => ({ name, inputs });
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('solve', () => {
  it('visits each step once, after its inputs', async () => {
    const base = node('base');
    const left = node('left', base);
    const right = node('right', base);
    const visited: string[] = [];
    const [result] = await solve(
      [node('top', left, right)],
      { limit: 4 },
      async (step, inputs: readonly string[]) => {
        visited.push(step.name);
        await turn();
        return `${step.name}(${inputs.join(' ')})`;
      },
    );
    expect(result).toBe('top(left(base()) right(base()))');
    expect(visited.toSorted()).toEqual(['base', 'left', 'right', 'top']);
  });

  it('lets independent branches work at the same time, within the limit', async () => {
    const leaves = ['a', 'b', 'c', 'd', 'e'].map((name) => node(name));
    let working = 0;
    let most = 0;
    await solve([node('top', ...leaves)], { limit: 3 }, async () => {
      most = Math.max(most, ++working);
      await turn();
      working--;
    });
    expect(most).toBe(3);
  });

  it('aborts the others at the first failure, awaits them, and throws that failure', async () => {
    const events: string[] = [];
    const top = node('top', node('bad'), node('slow'), node('waiting'));
    const run = solve([top], { limit: 2 }, async (step, _inputs, signal) => {
      if (step.name === 'bad') throw new Error('first');
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      await turn();
      events.push(`${step.name} ended`);
      throw new Error('second');
    });
    await expect(run).rejects.toThrow('first');
    expect(events).toEqual(['slow ended']);
  });

  it('begins nothing once the signal is aborted', async () => {
    const controller = new AbortController();
    controller.abort(new Error('stop'));
    let visited = 0;
    const run = solve([node('a')], { limit: 1, signal: controller.signal }, async () => ++visited);
    await expect(run).rejects.toThrow('stop');
    expect(visited).toBe(0);
  });
});
