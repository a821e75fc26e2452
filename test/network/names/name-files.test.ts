import { describe, expect, test } from 'vitest';
import { hostsFile, parseAddHost } from '../../../src/network/names/hosts-file.ts';
import { resolvConf } from '../../../src/network/names/resolv-conf.ts';

const none = { servers: [], search: [], options: [] };

test('/etc/hosts has the container, and the host as host-gateway', () => {
  const content = hostsFile({
    hostname: 'web.example.org',
    address: '10.89.0.2',
    gateway: '10.89.0.1',
    extra: [
      parseAddHost('db:10.0.0.5'),
      parseAddHost('host.docker.internal:host-gateway'),
      parseAddHost('six=[fd00::1]'),
    ],
  });
  expect(content.split('\n').slice(0, 2)).toEqual([
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
  ]);
  expect(content).toContain('\n10.0.0.5\tdb\n10.89.0.1\thost.docker.internal\nfd00::1\tsix\n');
  expect(content).toMatch(/\n10\.89\.0\.2\tweb\.example\.org web\n$/);
});

test.each(['db', 'db:', 'db:1.2.3', ':1.2.3.4', 'a b:1.2.3.4', 'db:1.2.3.4\n5.6.7.8 evil'])(
  '--add-host %j is refused',
  (text) => {
    expect(() => parseAddHost(text)).toThrow(JSON.stringify(text));
  },
);

describe('resolv.conf', () => {
  const host =
    '# a comment\nnameserver 127.0.0.1\nnameserver 10.1.1.1 ; mine\nnameserver fd00::1\nsearch a.org b.org\noptions ndots:2\n';

  test('leaves out what a namespace cannot reach', () => {
    expect(resolvConf(host, none, 'namespace')).toBe(
      'nameserver 10.1.1.1\nsearch a.org b.org\noptions ndots:2\n',
    );
    expect(resolvConf(host, none, 'host')).toContain(
      'nameserver 127.0.0.1\nnameserver 10.1.1.1\nnameserver fd00::1\n',
    );
  });

  test('has servers where the host names only itself', () => {
    expect(resolvConf('nameserver 127.0.0.53\n', none, 'namespace')).toBe(
      'nameserver 8.8.8.8\nnameserver 8.8.4.4\n',
    );
    expect(resolvConf('', none, 'host')).toBe('');
  });

  test('takes the flags before the host', () => {
    const dns = { servers: ['9.9.9.9'], search: ['.'], options: ['timeout:1'] };
    expect(resolvConf(host, dns, 'namespace')).toBe('nameserver 9.9.9.9\noptions timeout:1\n');
  });
});
