import { describe } from 'vitest';
import { decideAccess } from '../../src/access.ts';
import { createOverlaySnapshotter } from '../../src/snapshotter/overlay-snapshotter.ts';
import type { HostPaths } from '../../src/system/paths.ts';
import { activeTests } from '../conformance/active-tests.ts';
import { stackTests } from '../conformance/stack-tests.ts';

const factory = (paths: HostPaths) =>
  createOverlaySnapshotter(paths, { access: { ...decideAccess(), xattrPrefix: 'user.' } });

// What a user namespace needs works for root, too.
describe('overlay with user.overlay.*: stacks', () => stackTests(factory));
describe('overlay with user.overlay.*: active snapshots', () => activeTests(factory));
