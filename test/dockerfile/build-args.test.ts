import { expect, test } from 'vitest';
import {
  predefinedArgs,
  resolveArg,
  resolveGlobalArgs,
  unusedBuildArgs,
} from '../../src/dockerfile/expand/build-args.ts';
import { parseDockerfile } from '../../src/dockerfile/parse/parse.ts';
import { instruction } from '../support/builder/dockerfile-instruction.ts';

const AMD64 = { os: 'linux', architecture: 'amd64' };
const ARM = { os: 'linux', architecture: 'arm', variant: 'v7' };

test('the predefined ARGs tell both platforms', () => {
  const args = predefinedArgs({
    buildPlatform: AMD64,
    targetPlatform: ARM,
    buildArgs: new Map([['TARGETVARIANT', 'v6']]),
  });
  expect(Object.fromEntries(args)).toEqual({
    BUILDPLATFORM: 'linux/amd64',
    BUILDOS: 'linux',
    BUILDOSVERSION: '',
    BUILDARCH: 'amd64',
    BUILDVARIANT: '',
    TARGETPLATFORM: 'linux/arm/v7',
    TARGETOS: 'linux',
    TARGETOSVERSION: '',
    TARGETARCH: 'arm',
    TARGETVARIANT: 'v6',
    TARGETSTAGE: 'default',
  });
});

test('global ARGs: build argument, default that sees the ones before, nothing', () => {
  const dockerfile = parseDockerfile(
    'ARG A=1 B=${A}2 C\nARG D=$BUILDARCH-$B E\nARG A=${A}x\nFROM scratch',
    'Dockerfile',
  );
  const args = resolveGlobalArgs(
    dockerfile,
    new Map([['BUILDARCH', 'amd64']]),
    new Map([
      ['E', 'given'],
      ['B', 'b'],
    ]),
  );
  expect([...args]).toEqual([
    ['BUILDARCH', 'amd64'],
    ['A', '1x'],
    ['B', 'b'],
    ['D', 'amd64-b'],
    ['E', 'given'],
  ]);
});

test("a stage's ARG: build argument, own default, global value", () => {
  const arg = instruction('ARG', 'ARG A B=b C=${B}c$ENV D E=e');
  const context = { file: 'Dockerfile', escapeChar: '\\', env: new Map([['ENV', 'v']]) } as const;
  const resolved = resolveArg(arg, context, {
    buildArgs: new Map([['E', '']]),
    globalArgs: new Map([
      ['A', 'global'],
      ['B', 'hidden'],
    ]),
  });
  expect(resolved).toEqual([
    { name: 'A', value: 'global' },
    { name: 'B', value: 'b' },
    { name: 'C', value: 'bcv' },
    { name: 'D' },
    { name: 'E', value: '' },
  ]);
});

test('build arguments that nothing declares are told', () => {
  const dockerfile = parseDockerfile('ARG A\nFROM scratch\nARG B\nONBUILD ARG C', 'Dockerfile');
  const given = ['A', 'B', 'C', 'D', 'HTTP_PROXY', 'TARGETARCH', 'BUILDKIT_INLINE_CACHE'];
  expect(unusedBuildArgs(dockerfile, new Map(given.map((name) => [name, 'x'])))).toEqual(['D']);
});
