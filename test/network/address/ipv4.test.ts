import { expect, test } from 'vitest';
import { chooseNetwork, parseRoutes } from '../../../src/network/address/host-routes.ts';
import {
  formatNetwork,
  macFor,
  nextAddress,
  overlaps,
  parseNetwork,
} from '../../../src/network/address/ipv4.ts';
import { parseIpv4 } from '../../../src/options/ip-address.ts';

test('addresses and networks', () => {
  expect(parseIpv4('10.0.0.256')).toBeUndefined();
  expect(formatNetwork(parseNetwork('10.89.7.1/16'))).toBe('10.89.0.0/16');
  expect(() => parseNetwork('10.89.0.0')).toThrow('"10.89.0.0"');
  expect(overlaps(parseNetwork('10.0.0.0/8'), parseNetwork('10.89.0.0/16'))).toBe(true);
  expect(overlaps(parseNetwork('10.88.0.0/16'), parseNetwork('10.89.0.0/16'))).toBe(false);
  expect(macFor('10.89.0.255')).toBe('02:0c:0a:59:00:ff');
});

test('addresses go round, and never meet the gateway or the broadcast address', () => {
  const network = parseNetwork('192.168.9.0/29');
  const given: string[] = [];
  for (let i = 0; i < 6; i++) given.push(nextAddress(network, new Set(), given.at(-1))!);
  expect(given.map((address) => address.split('.')[3])).toEqual(['2', '3', '4', '5', '6', '2']);
  expect(nextAddress(network, new Set(given.slice(0, 3)), '192.168.9.6')).toBe('192.168.9.5');
  expect(nextAddress(network, new Set(given), undefined)).toBeUndefined();
});

test('the bridge gets a network that the host has no route to', () => {
  const table = [
    'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT',
    'eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0',
    'tun0\t0000590A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0',
    'tun0\t00015A0A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0',
  ].join('\n');
  const routes = parseRoutes(table).map(({ network }) => network);
  expect(routes.map(formatNetwork)).toEqual(['10.89.0.0/16', '10.90.1.0/24']);
  expect(formatNetwork(chooseNetwork(routes))).toBe('10.91.0.0/16');
  expect(() => chooseNetwork([parseNetwork('10.0.0.0/8'), parseNetwork('128.0.0.0/1')])).toThrow(
    'meets a route',
  );
});
