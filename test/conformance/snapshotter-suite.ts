import { describe } from 'vitest';
import type { SnapshotterFactory } from '../support/image/temporary-snapshotter.ts';
import { activeTests } from './active-tests.ts';
import { applyTests } from './apply-tests.ts';
import { hostileTests } from './hostile-tests.ts';
import { peerTests } from './peer-tests.ts';
import { readingTests } from './reading-tests.ts';
import { stackTests } from './stack-tests.ts';
import { targetTests } from './target-tests.ts';

/** What every backend of the snapshotter must do. Needs root: it mounts, in namespaces of its own. */
export function snapshotterSuite(name: string, factory: SnapshotterFactory): void {
  describe(`${name}: apply`, () => applyTests(factory));
  describe(`${name}: stacks`, () => stackTests(factory));
  describe(`${name}: active snapshots`, () => activeTests(factory));
  describe(`${name}: mount targets`, () => targetTests(factory));
  describe(`${name}: reading`, () => readingTests(factory));
  describe(`${name}: peers`, () => peerTests(factory));
  describe(`${name}: hostile layers`, () => hostileTests(factory));
}
