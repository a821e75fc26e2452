import { createOverlaySnapshotter } from '../../src/snapshotter/overlay-snapshotter.ts';
import { snapshotterSuite } from '../conformance/snapshotter-suite.ts';
import { TARS } from '../support/snapshotter/tar-form.ts';

// Another form of layers, by the same shared parts.
snapshotterSuite('layers as tars', (paths) => createOverlaySnapshotter(paths, { form: TARS }));
