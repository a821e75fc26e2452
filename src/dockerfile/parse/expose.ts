import { dockerfileError } from '../dockerfile-error.ts';
import type { Word } from '../source.ts';

const MAX_PORT = 65535;

/**
 * The `ExposedPorts` keys of an expanded EXPOSE: `80/tcp`, one for each port of a range, in order, without doubles.
 * What stands before a colon (Docker's `[ip:]host:container`) is checked for its form and dropped. Throws `syntax`.
 */
export function exposedPorts(file: string, ports: readonly Word[]): string[] {
  const keys = new Set<string>();
  for (const word of ports) {
    const parts = word.text.split(':');
    const [port = '', protocol = 'tcp', more] = parts.at(-1)!.split('/');
    const name = protocol === '' ? 'tcp' : protocol.toLowerCase();
    if (more !== undefined || !['tcp', 'udp', 'sctp'].includes(name)) {
      throw portError(file, word, 'has a protocol that is not tcp, udp or sctp');
    }
    const { start, end } = readRange(file, word, port);
    const host = parts.at(-2) ?? '';
    if (host !== '') {
      const hostRange = readRange(file, word, host);
      if (start !== end && hostRange.end - hostRange.start !== end - start) {
        throw portError(file, word, 'has two ranges of different length');
      }
    }
    for (let number = start; number <= end; number++) keys.add(`${number}/${name}`);
  }
  return [...keys];
}

function readRange(file: string, word: Word, text: string): { start: number; end: number } {
  const match = /^(\d+)(?:-(\d+))?$/.exec(text);
  if (match === null) throw portError(file, word, 'is no port and no range of ports');
  const start = Number(match[1]);
  const end = Number(match[2] ?? match[1]);
  if (start > MAX_PORT || end > MAX_PORT) throw portError(file, word, `is above ${MAX_PORT}`);
  if (end < start) throw portError(file, word, 'ends before it begins');
  return { start, end };
}

function portError(file: string, word: Word, fault: string): Error {
  return dockerfileError(file, word.at, `port ${JSON.stringify(word.text)} ${fault}`, {
    hint: 'write it like 80, 53/udp or 8000-8010/tcp',
  });
}
