import { createOverlaySnapshotter } from '../../src/snapshotter/overlay-snapshotter.ts';
import { snapshotterSuite } from '../conformance/snapshotter-suite.ts';

snapshotterSuite('overlay', (paths) => createOverlaySnapshotter(paths));
