import { mapOf, pointerTo, struct } from './shape.ts';

/** `Volume` of the Engine API. */
export const VOLUME = struct({
  'ClusterVolume?': pointerTo('any'),
  'CreatedAt?': 'string',
  Driver: 'string',
  Labels: mapOf('string'),
  Mountpoint: 'string',
  Name: 'string',
  Options: mapOf('string'),
  Scope: 'string',
  'Status?': mapOf('any'),
  'UsageData?': pointerTo(struct({ RefCount: 'number', Size: 'number' })),
});
