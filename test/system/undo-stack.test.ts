import { expect, test } from 'vitest';
import { UndoStack } from '../../src/system/task/undo-stack.ts';

test('steps are undone last first, each awaited', async () => {
  const order: string[] = [];
  {
    await using undo = new UndoStack();
    undo.defer(() => order.push('first'));
    undo.use({ [Symbol.asyncDispose]: async () => void order.push('second') });
    undo.use({ [Symbol.dispose]: () => void order.push('third') });
  }
  expect(order).toEqual(['third', 'second', 'first']);
});

test('what was moved is undone by the stack that has it', async () => {
  const order: string[] = [];
  let kept: UndoStack;
  {
    await using undo = new UndoStack();
    undo.defer(() => order.push('kept'));
    kept = undo.move();
    undo.defer(() => order.push('later'));
  }
  expect(order).toEqual(['later']);
  await kept[Symbol.asyncDispose]();
  await kept[Symbol.asyncDispose]();
  expect(order).toEqual(['later', 'kept']);
});

test('a step that fails stops no other, and is told', async () => {
  const order: string[] = [];
  const undo = new UndoStack();
  undo.defer(() => order.push('done'));
  undo.defer(() => Promise.reject(new Error('broken')));
  await expect(undo[Symbol.asyncDispose]()).rejects.toThrow('broken');
  expect(order).toEqual(['done']);
});
