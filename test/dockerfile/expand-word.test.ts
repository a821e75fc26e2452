import { describe, expect, test } from 'vitest';
import { expandText } from '../../src/dockerfile/expand/expand-word.ts';
import { OcitsError } from '../../src/errors.ts';
import { growth, LINEAR } from '../support/program/growth.ts';

const ENV = new Map([
  ['PWD', '/home'],
  ['SHELL', 'bash'],
  ['EMPTY', ''],
  ['KOREAN', '한국어'],
  ['PATH_LIKE', 'a/b/c.tar.gz'],
  ['SPACED', ' a  b '],
  ['1', 'one'],
  ['1x', 'never'],
]);

const expand = (text: string, escapeChar: '\\' | '`' = '\\') => expandText(text, ENV, { escapeChar }).text;

describe('quotes and escapes', () => {
  test.each([
    ['hello', 'hello'],
    ["he'll'o", 'hello'],
    ['he"ll"o', 'hello'],
    [String.raw`he\'llo`, "he'llo"],
    [String.raw`he\\'llo'`, String.raw`he\llo`],
    [String.raw`abc\tdef`, 'abctdef'],
    [String.raw`"abc\tdef"`, String.raw`abc\tdef`],
    [String.raw`'abc\tdef'`, String.raw`abc\tdef`],
    [String.raw`"he\"ll\"o"`, 'he"ll"o'],
    [String.raw`"\$PWD \\ \a"`, String.raw`$PWD \ \a`],
    [`'he"llo'`, 'he"llo'],
    [`"he'llo"`, "he'llo"],
    [String.raw`\$PWD`, '$PWD'],
    [`'$PWD'`, '$PWD'],
    ['trailing\\', 'trailing'],
    ['', ''],
    ['a<b <<c', 'a<b <<c'],
  ])('%s', (source, expected) => expect(expand(source)).toBe(expected));

  test('the escape directive changes what escapes', () => {
    expect(expand('c:\\$SHELL `$PWD', '`')).toBe('c:\\bash $PWD');
    expect(expand('"`"x`"" \\', '`')).toBe('"x" \\');
  });

  test('quotes mean nothing in a here-document', () => {
    const options = { escapeChar: '\\', skipQuotes: true } as const;
    expect(expandText(`it's "$PWD" \\$PWD`, ENV, options).text).toBe(`it's "/home" $PWD`);
  });
});

describe('variables', () => {
  test.each([
    ['$PWD', '/home'],
    ['$PWDx', ''],
    ['${PWD}x', '/homex'],
    ['"$PWD"', '/home'],
    ['$', '$'],
    ['$ x', '$ x'],
    ['$.x', '$.x'],
    ['$1x', 'onex'],
    ['${1}', 'one'],
    ['$@', ''],
    ['$*x', 'x'],
    ['$-x', 'x'],
    ['$KOREAN', '한국어'],
    ['안녕$KOREAN', '안녕한국어'],
    ['a${EMPTY}b$NOT', 'ab'],
    ['${PWD:-x}', '/home'],
    ['${EMPTY:-x}', 'x'],
    ['${NOT:-x}', 'x'],
    ['${PWD-x}', '/home'],
    ['${EMPTY-x}', ''],
    ['${NOT-x}', 'x'],
    ['${PWD:+x}', 'x'],
    ['${EMPTY:+x}', ''],
    ['${NOT:+x}', ''],
    ['${PWD+x}', 'x'],
    ['${EMPTY+x}', 'x'],
    ['${NOT+x}', ''],
    ['${PWD?x}', '/home'],
    ['${EMPTY?x}', ''],
    ['${PWD:?x}', '/home'],
    ['${NOT:-${PWD:+${SHELL}}}', 'bash'],
    ['${NOT:-"a } b"}', 'a } b'],
    ['${NOT:-a\\}b}', 'a}b'],
    ["${NOT:-it's $PWD'}", 'its $PWD'],
    ['${NOT:-}', ''],
    ['${PATH_LIKE#*/}', 'b/c.tar.gz'],
    ['${PATH_LIKE##*/}', 'c.tar.gz'],
    ['${PATH_LIKE%.*}', 'a/b/c.tar'],
    ['${PATH_LIKE%%.*}', 'a/b/c'],
    ['${PATH_LIKE%x}', 'a/b/c.tar.gz'],
    ['${PATH_LIKE#?}', '/b/c.tar.gz'],
    ['${PATH_LIKE%%*}', ''],
    ['${PATH_LIKE#*}', 'a/b/c.tar.gz'],
    ['${PATH_LIKE/b/x}', 'a/x/c.tar.gz'],
    ['${PATH_LIKE/\\//-}', 'a-b/c.tar.gz'],
    ['${PATH_LIKE//\\//-}', 'a-b-c.tar.gz'],
    ['${PATH_LIKE//?ar/[]}', 'a/b/c.[].gz'],
    ['${PATH_LIKE/*/x}', 'x'],
    ['${PATH_LIKE/.*/}', 'a/b/c'],
    ['${PATH_LIKE//./}', 'a/b/ctargz'],
    ['${KOREAN#?}', '국어'],
    ['${KOREAN%국*}', '한'],
    ['${NOT/x/y}', ''],
    ['${PATH_LIKE#$NOT}', 'a/b/c.tar.gz'],
    ['${PWD#${PWD}}', ''],
  ])('%s', (source, expected) => expect(expand(source)).toBe(expected));

  test('tells what was set and what was not', () => {
    const { used, missing } = expandText('$PWD ${NOT:-$SHELL} $OTHER', ENV, { escapeChar: '\\' });
    expect([...used]).toEqual(['PWD', 'SHELL']);
    expect([...missing]).toEqual(['NOT', 'OTHER']);
  });

  test('can leave unset ones as they are', () => {
    const options = { escapeChar: '\\', keepUnset: true } as const;
    const text = '$PWD $NOT ${NOT} ${NOT:-x} ${NOT#*/} ${NOT//a/b}';
    expect(expandText(text, ENV, options).text).toBe(`/home${text.slice('$PWD'.length)}`);
  });
});

describe('faults', () => {
  test.each([
    ["it's", 'single quote'],
    ['say "', 'double quote'],
    ['${PWD', "missing '}'"],
    ['${', "missing '}'"],
    ['${}', 'bad substitution'],
    ['${{x}}', 'bad substitution'],
    ['${:-x}', 'bad substitution'],
    ['${NOT:-x', "missing '}'"],
    ['${PWD:x}', 'unsupported modifier :x'],
    ['${PWD:#x}', 'unsupported modifier :#'],
    ['${PWD=x}', 'unsupported modifier ='],
    ['${PWD^^}', 'unsupported modifier ^'],
    ['${PWD/x}', "missing '/'"],
    ['${PWD/x/y', "missing '}'"],
    ['${PWD#\\a}', 'invalid escape'],
    ['${NOT?}', 'NOT: is not allowed to be unset'],
    ['${NOT:?}', 'NOT: is not allowed to be unset'],
    ['${EMPTY:?}', 'EMPTY: is not allowed to be empty'],
    ['${NOT:?set $PWD first}', 'NOT: set /home first'],
  ])('%s', (source, message) => {
    expect(() => expand(source)).toThrow(expect.objectContaining({ code: 'syntax' }));
    expect(() => expand(source)).toThrow(message);
    expect(() => expand(source)).toThrow(OcitsError);
  });
});

test('divides into words as EXPOSE needs it', () => {
  const words = (text: string) => expandText(text, ENV, { escapeChar: '\\' }).words;
  expect(words('a$SPACED"b c"$SPACED')).toEqual(['a', 'a', 'b', 'b c', 'a', 'b']);
  expect(words('"$SPACED"')).toEqual([' a  b ']);
  expect(words('$EMPTY')).toEqual([]);
  expect(words('a\\ b c')).toEqual(['a b', 'c']);
});

test.each(['##', '//'])('a hostile pattern behind %s takes no time', (operator) => {
  const text = `\${x${operator}${'*a'.repeat(20)}b${operator === '//' ? '/' : ''}}`;
  const env = (size: number) => new Map([['x', 'a'.repeat(size)]]);
  const expand = (variables: Map<string, string>) =>
    expect(expandText(text, variables, { escapeChar: '\\' }).text).toBe(variables.get('x'));
  expect(growth(env, 125, expand)).toBeLessThan(LINEAR);
});
