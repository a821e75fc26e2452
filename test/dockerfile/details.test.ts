import { describe, expect, test } from 'vitest';
import { undefinedVariable } from '../../src/dockerfile/check/values.ts';
import { exposedPorts } from '../../src/dockerfile/parse/expose.ts';
import { readHeredocWord } from '../../src/dockerfile/parse/heredoc.ts';
import { parseTrigger } from '../../src/dockerfile/parse/parse.ts';
import { parseRunMount } from '../../src/dockerfile/parse/run-mount.ts';
import { suggest } from '../../src/dockerfile/text/suggest.ts';
import { parseDurationNs } from '../../src/options/duration.ts';

const AT = { line: 7, column: 3 };

describe('EXPOSE', () => {
  const ports = (...texts: string[]) =>
    exposedPorts(
      'Dockerfile',
      texts.map((text) => ({ text, at: AT })),
    );

  test('ranges, protocols, doubles', () => {
    expect(ports('80', '53/udp', '8000-8002/TCP', '80/tcp', '127.0.0.1:1:2', '9-9')).toEqual([
      '80/tcp',
      '53/udp',
      '8000/tcp',
      '8001/tcp',
      '8002/tcp',
      '2/tcp',
      '9/tcp',
    ]);
  });

  test.each(['', 'http', '80/icmp', '80/tcp/udp', '65536', '10-9', '1-70000', '-1', '80-', '1-3:1-2', '8O'])(
    'refuses %j',
    (text) => {
      expect(() => ports(text)).toThrow(
        expect.objectContaining({ code: 'syntax', location: { file: 'Dockerfile', ...AT } }),
      );
    },
  );
});

describe('here-document words', () => {
  test.each([
    ['<<eof', { name: 'eof', expand: true, chomp: false, fileDescriptor: 0 }],
    ['3<<-"a b"', { name: 'a b', expand: false, chomp: true, fileDescriptor: 3 }],
    ["<<eo'f'", { name: 'eof', expand: false, chomp: false, fileDescriptor: 0 }],
    ["<<eo\\'f", { name: "eo'f", expand: true, chomp: false, fileDescriptor: 0 }],
    ["<<'e'o\\'f", { name: "eo'f", expand: false, chomp: false, fileDescriptor: 0 }],
    ['<<$EOF', { name: '$EOF', expand: true, chomp: false, fileDescriptor: 0 }],
  ])('%s', (word, expected) => expect(readHeredocWord(word)).toEqual(expected));

  test.each(['<<', '<<-', '<<<x', 'a<<x', '<<a b', '"<<x"', "<<it's", '<x'])('not %s', (word) => {
    expect(readHeredocWord(word)).toBeUndefined();
  });
});

describe('--mount', () => {
  const mount = (text: string, env: Record<string, string> = {}) =>
    parseRunMount('Dockerfile', { text, at: AT }, ({ text: value }) =>
      value.replace(/\$(\w+)/g, (_all, name: string) => env[name] ?? ''),
    );

  test('defaults and aliases', () => {
    expect(mount('target=/x')).toEqual({
      type: 'bind',
      target: '/x',
      readOnly: true,
      required: false,
      at: AT,
    });
    expect(mount('type=cache,dst=/c')).toMatchObject({ type: 'cache', target: '/c', readOnly: false });
    expect(mount('type=tmpfs,destination=/t,size=1.5k,ro')).toMatchObject({
      sizeBytes: 1536,
      readOnly: true,
    });
    expect(mount('type=secret,id=x,required=true,mode=0440,uid=0')).toMatchObject({
      mode: 0o440,
      uid: 0,
      required: true,
    });
  });

  test('variables are replaced field by field', () => {
    expect(mount('type=$T,"target=/a,b",source=$S', { T: 'bind', S: 'a,b' })).toMatchObject({
      source: 'a,b',
      target: '/a,b',
    });
    expect(() => mount('type=$T,target=/x', { T: 'cash' })).toThrow('unsupported type "cash"');
  });
});

test('durations as Go writes them', () => {
  const values = ['0', '1h1m1s', '1.5s', '.5ms', '-2us', '3µs', '1d', '5', '', '1 s'].map((text) =>
    parseDurationNs(text),
  );
  const undef = undefined;
  expect(values).toEqual([0, 3661e9, 1.5e9, 5e5, -2000, 3000, undef, undef, undef, undef]);
});

test('suggestions', () => {
  const names = ['RUN', 'COPY', 'WORKDIR', 'ENTRYPOINT'];
  expect(
    ['rum', 'CPOY', 'WORKDR', 'ENTRYPOIT', 'X', 'HELLO', ''].map((word) => suggest(word, names)),
  ).toEqual(['RUN', 'COPY', 'WORKDIR', 'ENTRYPOINT', undefined, undefined, undefined]);
});

test('the warning for a variable that is not set names a near one', () => {
  expect(undefinedVariable('VERSON', { text: '$VERSON', at: AT }, ['PATH', 'VERSION'])).toEqual({
    rule: 'UndefinedVar',
    message: "variable '$VERSON' is not set (did you mean $VERSION?)",
    range: { start: AT, end: AT },
  });
});

describe('triggers of a base image', () => {
  test('are read like any instruction', () => {
    expect(parseTrigger('COPY <<X /x\nbody\nX', 'node')).toMatchObject({
      kind: 'COPY',
      contents: [{ content: 'body\n' }],
    });
  });

  test.each(['', 'RUN a\nRUN b', 'FROM x', 'ONBUILD RUN x', 'RUM x'])('refuses %j', (expression) => {
    expect(() => parseTrigger(expression, 'node')).toThrow(expect.objectContaining({ code: 'syntax' }));
  });
});
