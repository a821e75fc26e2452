import { describe, expect, test } from 'vitest';
import { fillTemplate, formatListing } from '../../src/cli/template/template.ts';

const DATA = {
  Id: 'abc',
  State: { Running: true, Pid: 12 },
  Names: ['a', 'b'],
  Labels: { z: '1', 'a.b': '2' },
  Empty: [],
};

describe('templates', () => {
  test.each([
    ['{{.Id}}', 'abc'],
    ['{{ .State.Pid }}!', '12!'],
    ['{{json .Names}}', '["a","b"]'],
    ['{{join .Names ", "}}', 'a, b'],
    ['{{.Id | upper}}', 'ABC'],
    ['{{range .Names}}[{{.}}]{{end}}', '[a][b]'],
    ['{{range $i, $n := .Names}}{{$i}}={{$n}};{{end}}', '0=a;1=b;'],
    ['{{range $k, $v := .Labels}}{{$k}}={{$v}} {{end}}', 'a.b=2 z=1 '],
    ['{{range .Empty}}x{{else}}none{{end}}', 'none'],
    ['{{if .State.Running}}up{{else}}down{{end}}', 'up'],
    ['{{if eq .State.Pid 3}}a{{else if eq .Id "abc"}}b{{end}}', 'b'],
    ['{{with .State}}{{.Pid}}{{end}}', '12'],
    ['{{index .Labels "a.b"}}', '2'],
    ['{{(index .Names 1) | printf "%-3s|"}}', 'b  |'],
    ['{{len .Names}}', '2'],
    ['{{.Labels.missing}}', '<no value>'],
    ['{{$x := .Id}}{{$x}}{{/* quiet */}}', 'abc'],
    ['a {{- .Id -}} b', 'aabcb'],
    ['{{.Names}} {{.Labels}}', '[a b] map[a.b:2 z:1]'],
    ['{{not .State.Running}} {{or .Empty .Id}} {{and 1 .Id}}', 'false abc abc'],
    ['{{printf "%q" .Id}}', '"abc"'],
    [
      '{{printf "%.2s|%5d|%-5s|%05d|%+d" .Id .State.Pid .Id .State.Pid .State.Pid}}',
      'ab|   12|abc  |00012|+12',
    ],
    ['{{printf "%x %X %.1f %v %t%%" .State.Pid .Id 1.26 .Names .State.Running}}', 'c 616263 1.3 [a b] true%'],
    ['{{printf "%s"}}{{printf "x" 1}}', '%!s(MISSING)x%!(EXTRA 1)'],
    ['{{and .Empty .Id}}|{{or nil .Empty}}|{{and nil .Id}}', '[]|[]|<nil>'],
  ])('%s', (template, expected) => {
    expect(fillTemplate(template, DATA)).toBe(expected);
  });

  test.each([
    '{{.Nope}}',
    '{{.Id.Foo}}',
    '{{nope .Id}}',
    '{{.Id',
    '{{if .Id}}x',
    '{{end}}',
    '{{index .Names 9}}',
    '{{"a" "b"}}',
    '{{printf "%y" .Id}}',
  ])('%s is refused', (template) => {
    expect(() => fillTemplate(template, DATA)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
  });
});

describe('lists', () => {
  const listing = {
    items: [{ id: 1, name: 'first' }],
    headers: { ID: 'IMAGE ID', Name: 'NAME', Size: 'SIZE' },
    columns: ['ID', 'Name'],
    row: ({ id, name }: { id: number; name: string }) => ({ ID: id, Name: name, Size: '3MB' }),
  };
  test.each([
    [undefined, 'IMAGE ID   NAME\n1          first'],
    ['table {{.Name}}\\t{{.Size}}', 'NAME      SIZE\nfirst     3MB'],
    ['{{.Name}}', 'first'],
    ['json', '{"ID":1,"Name":"first","Size":"3MB"}'],
  ])('%s', (format, expected) => {
    expect(formatListing(listing, format)).toBe(expected);
  });

  test('an empty list has its header', () => {
    expect(formatListing({ ...listing, items: [] }, undefined)).toBe('IMAGE ID   NAME');
  });
});
