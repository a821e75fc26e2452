import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { expect, test } from 'vitest';
import { networkChoice } from '../../../src/network/choice.ts';
import { etcFiles, hostnameFor, type NameOptions } from '../../../src/network/names/etc-files.ts';

const SANDBOX = {
  id: 'box',
  path: '/run/netns/box',
  endpoints: [
    {
      network: 'bridge',
      driver: 'bridge',
      hostInterface: 'ocits0',
      interfaceName: 'eth0',
      macAddress: '02:0c:0a:59:00:02',
      addresses: ['10.89.0.2/16'],
      gateways: ['10.89.0.1'],
      ports: [],
    },
  ],
};

function on(network: string, more: Partial<NameOptions> = {}): NameOptions {
  return {
    ...networkChoice(network),
    dns: { servers: [], search: [], options: [] },
    extraHosts: [
      { name: 'db', address: '10.0.0.9' },
      { name: 'gate', address: 'host-gateway' },
    ],
    ...more,
  };
}

test('on the bridge, a container is in /etc/hosts by its address, and the gateway stands for the host', async () => {
  const dns = { servers: ['9.9.9.9'], search: [], options: [] };
  const files = await etcFiles(on('bridge', { dns }), 'web', SANDBOX);
  expect(files.hosts).toMatch(/^127\.0\.0\.1\tlocalhost\n/);
  expect(files.hosts).toMatch(/\n10\.0\.0\.9\tdb\n10\.89\.0\.1\tgate\n10\.89\.0\.2\tweb\n$/);
  expect(files).toMatchObject({
    hostname: 'web\n',
    'resolv.conf': expect.stringMatching(/^nameserver 9\.9\.9\.9\n/),
  });
});

test('without a network, it has the standard lines and those that were asked for', async () => {
  const { hosts } = await etcFiles(on('none'), 'web', undefined);
  expect(hosts).toMatch(/\nff02::2\tip6-allrouters\n10\.0\.0\.9\tdb\n127\.0\.0\.1\tgate\n$/);
});

test('with the network of the host, it has the files of the host, with the lines that were asked for', async () => {
  const files = await etcFiles(on('host'), 'me', undefined);
  const own = readFileSync('/etc/hosts', 'utf8');
  expect(files.hosts).toBe(`${own.replace(/\n?$/, '\n')}10.0.0.9\tdb\n127.0.0.1\tgate\n`);
  const servers = (text: string) => text.match(/^nameserver \S+/gm);
  expect(servers(files['resolv.conf'])).toEqual(servers(readFileSync('/etc/resolv.conf', 'utf8')));
});

test('a container has the name that was asked for, else its own, and on the host the one of the host', () => {
  expect(hostnameFor(on('bridge'), 'c0ffee')).toBe('c0ffee');
  expect(hostnameFor(on('none'), 'c0ffee')).toBe('c0ffee');
  expect(hostnameFor(on('host'), 'c0ffee')).toBe(hostname());
  expect(hostnameFor(on('host', { hostname: 'web' }), 'c0ffee')).toBe('web');
});
