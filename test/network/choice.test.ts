import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  buildNetworkMode,
  hasOwnSandbox,
  namespaceOf,
  networkChoice,
  networkModeOf,
  sharesHostNetwork,
} from '../../src/network/choice.ts';
import { openDriver } from '../../src/network/drivers/open-driver.ts';
import type { NetworkChoice } from '../../src/network/network.ts';
import { openNetworkStore } from '../../src/network/store/network-store.ts';
import { readSourceGraph } from '../support/program/source-graph.ts';

const SRC = join(import.meta.dirname, '../../src');
const SANDBOX = { id: 'box', path: '/run/netns/box', endpoints: [] };

describe('a value of --network', () => {
  const onBridge = { sandbox: { kind: 'own' }, endpoints: [{ network: 'bridge', aliases: [] }] };

  test.each([undefined, 'default', 'bridge'])('%s means a sandbox of its own on the bridge', (value) => {
    const choice = networkChoice(value);
    expect(choice).toEqual(onBridge);
    expect(networkModeOf(choice)).toBe('bridge');
    expect([hasOwnSandbox(choice), sharesHostNetwork(choice)]).toEqual([true, false]);
    expect(namespaceOf(choice, SANDBOX)).toEqual({ path: '/run/netns/box' });
    expect(buildNetworkMode(value)).toBe('default');
  });

  test('host means the namespace of the host', () => {
    const choice = networkChoice('host');
    expect(choice).toEqual({ sandbox: { kind: 'host' }, endpoints: [{ network: 'host', aliases: [] }] });
    expect(networkModeOf(choice)).toBe('host');
    expect([hasOwnSandbox(choice), sharesHostNetwork(choice)]).toEqual([false, true]);
    expect(namespaceOf(choice, undefined)).toBe('inherited');
    expect(buildNetworkMode('host')).toBe('host');
  });

  test('none means a namespace that the runtime makes', () => {
    const choice = networkChoice('none');
    expect(choice).toEqual({ sandbox: { kind: 'none' }, endpoints: [{ network: 'none', aliases: [] }] });
    expect(networkModeOf(choice)).toBe('none');
    expect([hasOwnSandbox(choice), sharesHostNetwork(choice)]).toEqual([false, false]);
    expect(namespaceOf(choice, undefined)).toBe('new');
    expect(buildNetworkMode('none')).toBe('none');
  });

  test.each(['', 'mine', 'container:web'])('%j is not there yet', (value) => {
    const message = `--network ${value}: only bridge, host and none are there yet`;
    expect(() => networkChoice(value)).toThrow(message);
    expect(() => buildNetworkMode(value)).toThrow(message);
  });
});

test('the sandbox of another container has its place in a record, and is refused at a start', () => {
  const choice: NetworkChoice = { sandbox: { kind: 'container', id: 'c0ffee' }, endpoints: [] };
  expect(networkModeOf(choice)).toBe('container:c0ffee');
  expect([hasOwnSandbox(choice), sharesHostNetwork(choice)]).toEqual([false, false]);
  expect(() => namespaceOf(choice, undefined)).toThrow('not there yet');
});

test('the store has the predefined networks, as the settings say, each with a driver', async () => {
  const network = { base: 0x0a_f0_00_00, prefix: 16 };
  const store = openNetworkStore({ folder: '/nowhere', bridge: 'mybridge', network });
  expect(await store.list()).toEqual([
    { id: 'bridge', name: 'bridge', driver: 'bridge', hostInterface: 'mybridge', subnet: '10.240.0.0/16' },
    { id: 'host', name: 'host', driver: 'host' },
    { id: 'none', name: 'none', driver: 'null' },
  ]);
  for (const { name, driver } of await store.list()) {
    expect((await store.find(name)).name).toBe(name);
    expect(await openDriver(driver, '/nowhere')).toHaveProperty('attach');
  }
  await expect(store.find('mine')).rejects.toMatchObject({ code: 'not-found' });
  await expect(openDriver('macvlan', '/nowhere')).rejects.toMatchObject({ code: 'unsupported' });
});

test('only the network folder knows a network by its name', () => {
  // The texts of flags and the grammar of `RUN --network` are not theirs to choose.
  const others = readSourceGraph(SRC).files.filter(
    (file) => !/^(network|cli|options|dockerfile)\//.test(file),
  );
  expect(others.filter((file) => /'bridge'|(network|mode)\b.{0,20}'(host|none)'/i.test(read(file)))).toEqual(
    [],
  );
});

function read(file: string): string {
  return readFileSync(join(SRC, file), 'utf8');
}
