import { createOverlaySnapshotter } from '../../src/snapshotter/overlay/overlay-snapshotter.ts';
import { snapshotterSuite } from '../conformance/snapshotter-suite.ts';

snapshotterSuite('overlay', (paths) => createOverlaySnapshotter(paths));
