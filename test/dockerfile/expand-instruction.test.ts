import { expect, test } from 'vitest';
import { type ExpandContext, expandInstruction } from '../../src/dockerfile/expand/expand-instruction.ts';
import { instruction } from '../support/builder/dockerfile-instruction.ts';

function context(env: Record<string, string>, onMissing?: ExpandContext['onMissing']): ExpandContext {
  const base = { file: 'Dockerfile', escapeChar: '\\', env: new Map(Object.entries(env)) } as const;
  return onMissing === undefined ? base : { ...base, onMissing };
}

test('one ENV sees the values from before it', () => {
  const env = instruction('ENV', 'ENV abc=bye def=$abc "quoted"="two $abc"');
  const { pairs } = expandInstruction(env, context({ abc: 'hello' }));
  expect(pairs.map(({ key, value }) => [key.text, value.text])).toEqual([
    ['abc', 'bye'],
    ['def', 'hello'],
    ['quoted', 'two hello'],
  ]);
});

test('the old form of ENV loses its quotes, too', () => {
  const env = instruction('ENV', 'ENV A the "quoted"  $X value');
  expect(expandInstruction(env, context({ X: 'x' })).pairs[0]!.value.text).toBe('the quoted  x value');
});

test('all words of a COPY are expanded, and its here-documents unless quoted', () => {
  const copy = instruction(
    'COPY',
    'COPY --chown=$U:g --chmod=$M --exclude=$X a$X <<A <<"B" $D\n$X "q" \\$X\nA\n$X\nB',
  );
  const expanded = expandInstruction(copy, context({ U: 'me', M: '755', X: 'x', D: '/d/' }));
  expect(expanded).toMatchObject({
    chown: { text: 'me:g' },
    chmod: { text: '755' },
    excludes: [{ text: 'x' }],
    sources: [{ text: 'ax' }],
    destination: { text: '/d/' },
    contents: [{ content: 'x "q" $X\n' }, { content: '$X\n' }],
  });
});

test('words of a JSON array are expanded, too', () => {
  const copy = instruction('COPY', 'COPY ["a b$X", "/c d/"]');
  const { sources, destination } = expandInstruction(copy, context({ X: 'x' }));
  expect([sources[0]!.text, destination.text]).toEqual(['a bx', '/c d/']);
});

test('a variable of EXPOSE may stand for several ports', () => {
  const expose = instruction('EXPOSE', 'EXPOSE $PORTS 80');
  const { ports } = expandInstruction(expose, context({ PORTS: '1 2/udp' }));
  expect(ports.map(({ text }) => text)).toEqual(['1', '2/udp', '80']);
});

test.each(['RUN echo $X', 'CMD echo $X', 'ENTRYPOINT ["$X"]', 'SHELL ["$X"]', 'ARG $X=$X', 'MAINTAINER $X'])(
  '%s stays as it is',
  (text) => {
    const kind = text.split(' ')[0] as 'RUN';
    const before = instruction(kind, text);
    expect(expandInstruction(before, context({ X: 'x' }))).toEqual(before);
  },
);

test('a fault has the place of its word', () => {
  const copy = instruction('COPY', 'COPY a \\\n  ${B:?missing} /x');
  expect(() => expandInstruction(copy, context({}))).toThrow(
    expect.objectContaining({
      code: 'syntax',
      message: 'B: missing',
      location: { file: 'Dockerfile', line: 3, column: 3 },
    }),
  );
});

test('tells which variables are missing, and where', () => {
  const missing: string[] = [];
  const user = instruction('USER', 'USER ${A:-x}$B$C');
  expandInstruction(
    user,
    context({ C: '' }, (name, word) => missing.push(`${name}@${word.at.line}:${word.at.column}`)),
  );
  expect(missing).toEqual(['A@2:6', 'B@2:6']);
});
