import { describe, expect, test } from 'vitest';
import { parseExposed, parsePublish } from '../../src/options/ports.ts';

const any = { hostIp: '', protocol: 'tcp' };

describe('parsePublish', () => {
  test.each([
    ['80', [{ ...any, hostPort: 0, containerPort: 80 }]],
    ['8080:80', [{ ...any, hostPort: 8080, containerPort: 80 }]],
    ['8080:80/UDP', [{ ...any, hostPort: 8080, containerPort: 80, protocol: 'udp' }]],
    ['127.0.0.1:8080:80/udp', [{ hostIp: '127.0.0.1', hostPort: 8080, containerPort: 80, protocol: 'udp' }]],
    ['0:80', [{ ...any, hostPort: 0, containerPort: 80 }]],
    ['127.0.0.1::80', [{ ...any, hostIp: '127.0.0.1', hostPort: 0, containerPort: 80 }]],
    ['[::1]:80:81', [{ ...any, hostIp: '::1', hostPort: 80, containerPort: 81 }]],
    ['::1:80:81', [{ ...any, hostIp: '::1', hostPort: 80, containerPort: 81 }]],
    ['published=8080,target=80', [{ ...any, hostPort: 8080, containerPort: 80 }]],
    ['target=80,protocol=udp', [{ ...any, hostPort: 0, containerPort: 80, protocol: 'udp' }]],
    ['mode=host,target=80,published=81', [{ ...any, hostPort: 81, containerPort: 80 }]],
    [
      '8000-8001:90-91',
      [
        { ...any, hostPort: 8000, containerPort: 90 },
        { ...any, hostPort: 8001, containerPort: 91 },
      ],
    ],
    ['8000-8010:80', [{ ...any, hostPort: 8000, hostPortEnd: 8010, containerPort: 80 }]],
    [
      '90-91/sctp',
      [
        { ...any, hostPort: 0, containerPort: 90, protocol: 'sctp' },
        { ...any, hostPort: 0, containerPort: 91, protocol: 'sctp' },
      ],
    ],
  ])('%s', (text, expected) => expect(parsePublish(text)).toEqual(expected));

  test.each([
    ['', 'container port is missing'],
    ['8080:', 'container port is missing'],
    ['published=80', 'container port is missing'],
    ['target=80,host=x', 'there is no "host"'],
    ['80/http', 'protocol "http"'],
    ['http:80', 'host port "http"'],
    ['70000:80', 'host port "70000"'],
    ['8080:65536', 'container port "65536"'],
    ['9-8:9-8', 'container port "9-8"'],
    ['80-82:80-81', 'not of the same length'],
    ['1.2.3.400:80:80', '"1.2.3.400" is not an IP address'],
    ['localhost:80:80', '"localhost" is not an IP address'],
    ['[::1]:1:80:80', 'too many colons'],
    ['[:::1]:80:80', '":::1" is not an IP address'],
    ['80:80:80', '"80" is not an IP address'],
    [' 80:80', 'host port " 80"'],
  ])('refuses %j', (text, message) => {
    expect(() => parsePublish(text)).toThrow(message);
    expect(() => parsePublish(text)).toThrow(JSON.stringify(text));
  });
});

test('parseExposed', () => {
  expect(parseExposed('80')).toEqual(['80/tcp']);
  expect(parseExposed('53-54/udp')).toEqual(['53/udp', '54/udp']);
  expect(() => parseExposed('127.0.0.1:80')).toThrow('port "127.0.0.1:80"');
});
