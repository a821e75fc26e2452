import { expect, test } from 'vitest';
import {
  ALL_CAPABILITIES,
  containerCapabilities,
  processCapabilities,
} from '../../src/bundle/capabilities.ts';

function capabilities(capAdd: string[], capDrop: string[] = [], host: readonly string[] = ALL_CAPABILITIES) {
  return containerCapabilities({ privileged: false, capAdd, capDrop }, host);
}

test('the default is the fourteen of Docker', () => {
  expect(capabilities([])).toHaveLength(14);
  expect(capabilities([])).toContain('CAP_NET_BIND_SERVICE');
  expect(capabilities([])).not.toContain('CAP_SYS_ADMIN');
});

test('names go with and without CAP_, in any case', () => {
  expect(capabilities(['sys_admin', 'CAP_NET_ADMIN'])).toHaveLength(16);
  expect(capabilities([], ['Cap_Chown', 'kill'])).toHaveLength(12);
});

test('ALL adds or drops all, and the other list then goes its way', () => {
  expect(capabilities(['ALL'])).toEqual(ALL_CAPABILITIES);
  expect(capabilities(['all'], ['mknod'])).toHaveLength(ALL_CAPABILITIES.length - 1);
  expect(capabilities([], ['ALL'])).toEqual([]);
  expect(capabilities(['chown'], ['ALL'])).toEqual(['CAP_CHOWN']);
  expect(capabilities(['chown'], ['chown'])).toContain('CAP_CHOWN');
});

test('what the host lacks is left out, and an error where it was asked for by name', () => {
  const host = ALL_CAPABILITIES.filter((name) => name !== 'CAP_SYS_RESOURCE' && name !== 'CAP_MKNOD');
  expect(capabilities([], [], host)).toHaveLength(13);
  expect(capabilities(['ALL'], [], host)).toEqual(host);
  expect(containerCapabilities({ privileged: true, capAdd: [], capDrop: [] }, host)).toEqual(host);
  expect(() => capabilities(['sys_resource'], [], host)).toThrow('CAP_SYS_RESOURCE');
});

test('an unknown name is an error', () => {
  expect(() => capabilities(['root'])).toThrow('"root" is not a capability');
  expect(() => capabilities([], ['CAP_'])).toThrow('"CAP_" is not a capability');
});

test('only root has capabilities to start with, and nobody inherits any', () => {
  const names = ['CAP_CHOWN'];
  const none = { inheritable: [], ambient: [] };
  expect(processCapabilities(names, 0)).toEqual({
    bounding: names,
    effective: names,
    permitted: names,
    ...none,
  });
  expect(processCapabilities(names, 7)).toEqual({ bounding: names, effective: [], permitted: [], ...none });
});
