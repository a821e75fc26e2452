import { describe, expect, it } from 'vitest';
import { stageGraph } from '../../src/builder/plan/graph.ts';
import { type PlannedStage, planStage } from '../../src/builder/plan/stage-plan.ts';
import { imageStart, SCRATCH_START } from '../../src/builder/plan/stage-start.ts';
import { imageConfig } from '../../src/builder/result/image-content.ts';
import { predefinedArgs, resolveGlobalArgs } from '../../src/dockerfile/expand/build-args.ts';
import { parseDockerfile, parseTrigger } from '../../src/dockerfile/parse/parse.ts';
import type { ImageConfig, RunConfig } from '../../src/oci/image-config.ts';

const platform = { os: 'linux', architecture: 'amd64' };
const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

interface PlanOptions {
  readonly base?: RunConfig;
  readonly buildArgs?: Readonly<Record<string, string>>;
  readonly target?: string;
}

/** Plans all stages that the target needs; every image has the configuration `base`. */
function planAll(text: string, options: PlanOptions = {}): PlannedStage[] {
  const dockerfile = parseDockerfile(text, 'Dockerfile');
  const buildArgs = new Map(Object.entries(options.buildArgs ?? {}));
  const predefined = predefinedArgs({ buildPlatform: platform, targetPlatform: platform, buildArgs });
  const globalArgs = resolveGlobalArgs(dockerfile, predefined, buildArgs);
  const graph = stageGraph(dockerfile, {
    platform,
    globalArgs,
    ...(options.target === undefined ? {} : { target: options.target }),
  });
  const config: ImageConfig = {
    ...platform,
    config: options.base ?? {},
    rootfs: { type: 'layers', diff_ids: [] },
  };
  const triggers = (options.base?.OnBuild ?? []).map((trigger) => parseTrigger(trigger, 'base'));
  const plans = new Map<number, PlannedStage>();
  for (const node of graph.stages) {
    const start =
      node.base.kind === 'stage'
        ? plans.get(node.base.stage.stage.index)!.next
        : node.base.kind === 'image'
          ? imageStart(config, triggers)
          : SCRATCH_START;
    const context = { dockerfile, buildArgs, globalArgs, showsStageName: graph.stages.length > 1 };
    plans.set(node.stage.index, planStage(node, start, context));
  }
  return [...plans.values()];
}

const plan = (text: string, options: PlanOptions = {}): PlannedStage => planAll(text, options).at(-1)!;
const history = (text: string, options?: PlanOptions) =>
  plan(text, options).history.map(({ createdBy }) => createdBy);
const config = (text: string, options?: PlanOptions) => {
  const content = { platform, state: plan(text, options).result, layers: [], history: [] };
  return imageConfig(content).config;
};

const HELLO = `FROM node
WORKDIR /app
COPY package.json .
RUN npm install
COPY . .
ENV NODE_ENV production
ENV PORT 3000
EXPOSE 3000
CMD ["npm", "start"]
`;

describe('the Dockerfile of the first example', () => {
  const base = { Env: [PATH, 'NODE_VERSION=22.1.0'], Cmd: ['node'], Entrypoint: ['docker-entrypoint.sh'] };

  it('has the history that BuildKit writes', () => {
    expect(history(HELLO, { base })).toEqual([
      'WORKDIR /app',
      'COPY package.json . # buildkit',
      'RUN /bin/sh -c npm install # buildkit',
      'COPY . . # buildkit',
      'ENV NODE_ENV=production',
      'ENV PORT=3000',
      'EXPOSE [3000/tcp]',
      'CMD ["npm" "start"]',
    ]);
  });

  it('has steps with BuildKit’s labels', () => {
    const { baseLabel, steps } = plan(HELLO, { base });
    expect([baseLabel, ...steps.map(({ label }) => label)]).toEqual([
      '[1/5] FROM docker.io/library/node:latest',
      '[2/5] WORKDIR /app',
      '[3/5] COPY package.json .',
      '[4/5] RUN npm install',
      '[5/5] COPY . .',
    ]);
  });

  it('changes the configuration, and runs npm in its folder with the image’s variables alone', () => {
    expect(config(HELLO, { base })).toEqual({
      Env: [PATH, 'NODE_VERSION=22.1.0', 'NODE_ENV=production', 'PORT=3000'],
      Cmd: ['npm', 'start'],
      Entrypoint: ['docker-entrypoint.sh'],
      WorkingDir: '/app',
      ExposedPorts: { '3000/tcp': {} },
    });
    expect(plan(HELLO, { base }).steps[2]).toMatchObject({
      kind: 'run',
      args: ['/bin/sh', '-c', 'npm install'],
      env: [PATH, 'NODE_VERSION=22.1.0'],
      cwd: '/app',
      user: '',
    });
  });
});

describe('configuration', () => {
  it('of every instruction', () => {
    const text = `FROM scratch
LABEL a=1 "b c"="d e"
LABEL a=2
VOLUME /data /cache
VOLUME ["/data"]
USER node:staff
WORKDIR srv
WORKDIR ../opt/./x/
SHELL ["/bin/bash", "-c"]
STOPSIGNAL SIGQUIT
EXPOSE 80 53/udp 8000-8001
HEALTHCHECK --interval=30s --retries=3 CMD curl -f x
MAINTAINER me
ONBUILD RUN true
ENTRYPOINT echo hi
`;
    expect(config(text)).toEqual({
      Env: [PATH],
      Labels: { a: '2', 'b c': 'd e' },
      Volumes: { '/data': {}, '/cache': {} },
      User: 'node:staff',
      WorkingDir: '/opt/x',
      Shell: ['/bin/bash', '-c'],
      StopSignal: 'SIGQUIT',
      ExposedPorts: { '80/tcp': {}, '53/udp': {}, '8000/tcp': {}, '8001/tcp': {} },
      Healthcheck: { Test: ['CMD-SHELL', 'curl -f x'], Interval: 30_000_000_000, Retries: 3 },
      OnBuild: ['RUN true'],
      Entrypoint: ['/bin/bash', '-c', 'echo hi'],
    });
    expect(plan(text).result.author).toBe('me');
    expect(history(text)).toEqual([
      'LABEL a=1 b c=d e',
      'LABEL a=2',
      'VOLUME [/data /cache]',
      'VOLUME [/data]',
      'USER node:staff',
      'WORKDIR /srv',
      'WORKDIR /opt/x',
      'SHELL [/bin/bash -c]',
      'STOPSIGNAL SIGQUIT',
      'EXPOSE [80/tcp 53/udp 8000/tcp 8001/tcp]',
      'HEALTHCHECK {Test:[CMD-SHELL curl -f x] Interval:30s Timeout:0s StartPeriod:0s StartInterval:0s Retries:3}',
      'MAINTAINER me',
      'ENTRYPOINT ["/bin/bash" "-c" "echo hi"]',
    ]);
  });

  it('an ENTRYPOINT drops the base’s CMD, and not the stage’s own', () => {
    const base = { Cmd: ['base'] };
    expect(config('FROM b\nENTRYPOINT ["x"]\n', { base })).toEqual({ Env: [PATH], Entrypoint: ['x'] });
    expect(config('FROM b\nCMD ["own"]\nENTRYPOINT ["x"]\n', { base })).toMatchObject({ Cmd: ['own'] });
    const stages = 'FROM b AS one\nCMD ["one"]\nFROM one\nENTRYPOINT ["x"]\n';
    expect(config(stages, { base })).not.toHaveProperty('Cmd');
  });

  it('an empty ENTRYPOINT or CMD takes the base’s away', () => {
    const base = { Cmd: ['c'], Entrypoint: ['e'] };
    expect(config('FROM b\nENTRYPOINT []\nCMD []\n', { base })).toEqual({ Env: [PATH] });
  });

  it('keeps the place of a variable that is set again', () => {
    const base = { Env: ['A=1', PATH, 'B=2'] };
    expect(config('FROM b\nENV A=$B C=$A\n', { base })?.Env).toEqual(['A=2', PATH, 'B=2', 'C=1']);
  });
});

describe('ARG', () => {
  const run = (text: string, options?: PlanOptions) => {
    const step = plan(text, options).steps[0];
    return step?.kind === 'run' ? step : undefined;
  };

  it('reaches RUN and its history, in the order of declaration', () => {
    const text = 'FROM scratch\nARG B=1\nARG A\nARG C=$B\nRUN x\n';
    expect(run(text, { buildArgs: { A: 'a' } })?.env).toEqual([PATH, 'B=1', 'A=a', 'C=1']);
    expect(history(text, { buildArgs: { A: 'a' } }).slice(-1)).toEqual([
      'RUN |3 B=1 A=a C=1 /bin/sh -c x # buildkit',
    ]);
    expect(history(text)).toContain('ARG A');
  });

  it('counts from its own line on, and an undeclared one not at all', () => {
    const step = run('FROM scratch\nRUN x\nARG A=1\n', { buildArgs: { A: '2', Z: '3' } });
    expect(step?.env).toEqual([PATH]);
  });

  it('gives way to an ENV of the same name', () => {
    const text = 'FROM scratch\nARG V=1\nENV V=2\nRUN x\n';
    expect(run(text, { buildArgs: { V: '3' } })?.env).toEqual([PATH, 'V=2']);
  });

  it('after an ENV of the same name counts in RUN, as in BuildKit, and leaves the image’s variable alone', () => {
    const text = 'FROM b\nARG V=2\nRUN x\nENV W=$V\n';
    const base = { Env: [PATH, 'V=1'] };
    expect(run(text, { base })?.env).toEqual([PATH, 'V=2']);
    expect(history(text, { base })).toContain('RUN |1 V=2 /bin/sh -c x # buildkit');
    expect(config(text, { base })?.Env).toEqual([PATH, 'V=1', 'W=2']);
  });

  it('from before the first FROM is seen by FROM, and by a stage that declares it', () => {
    const text = 'ARG TAG=22\nARG IMAGE=node:$TAG\nFROM ${IMAGE}\nARG TAG\nRUN x\n';
    expect(plan(text).baseLabel).toBe('[1/2] FROM docker.io/library/node:22');
    expect(plan(text, { buildArgs: { TAG: '24' } }).baseLabel).toBe('[1/2] FROM docker.io/library/node:24');
    expect(run(text)?.env).toEqual([PATH, 'TAG=22']);
  });

  it('names the platforms where it is declared', () => {
    expect(run('FROM scratch\nARG TARGETARCH\nARG BUILDPLATFORM\nRUN x\n')?.env).toEqual([
      PATH,
      'TARGETARCH=amd64',
      'BUILDPLATFORM=linux/amd64',
    ]);
  });

  it('passes proxies on outside of history and key, unless they are declared', () => {
    const buildArgs = { HTTP_PROXY: 'http://p' };
    const step = run('FROM scratch\nRUN x\n', { buildArgs });
    expect(step).toMatchObject({ env: [PATH], proxyEnv: ['HTTP_PROXY=http://p'] });
    expect(run('FROM scratch\nARG HTTP_PROXY\nRUN x\n', { buildArgs })).toMatchObject({
      env: [PATH, 'HTTP_PROXY=http://p'],
      proxyEnv: [],
    });
  });

  it('is handed on to a stage that starts from this one', () => {
    expect(run('FROM scratch AS a\nARG V=1\nFROM a\nRUN x\n')?.env).toEqual([PATH, 'V=1']);
  });
});

describe('RUN', () => {
  const command = (text: string, base?: RunConfig) => {
    const step = plan(`FROM b\n${text}`, base === undefined ? {} : { base }).steps[0];
    return step?.kind === 'run' ? { args: step.args, script: step.script } : undefined;
  };

  it('takes the exec form as it is, and the shell form to the stage’s shell', () => {
    expect(command('RUN ["a", "$b"]\n')?.args).toEqual(['a', '$b']);
    expect(command('RUN a $b\n', { Shell: ['/bin/ash', '-ec'] })?.args).toEqual(['/bin/ash', '-ec', 'a $b']);
  });

  it('reads here-documents as BuildKit does', () => {
    expect(command('RUN <<EOF\necho $x\nfalse\nEOF\n')?.args).toEqual(['/bin/sh', '-c', 'echo $x\nfalse\n']);
    expect(command('RUN <<-EOF\n\techo\n\tEOF\n')?.args).toEqual(['/bin/sh', '-c', 'echo\n']);
    expect(command('RUN <<EOF\n#!/usr/bin/env node\n1\nEOF\n')).toEqual({
      args: ['/dev/pipes/EOF'],
      script: { name: 'EOF', content: '#!/usr/bin/env node\n1\n' },
    });
    expect(command('RUN cat <<A <<B\n1\nA\n2\nB\n')?.args).toEqual([
      '/bin/sh',
      '-c',
      'cat <<A <<B\n1\nA\n2\nB',
    ]);
  });
});

describe('stages', () => {
  const TEXT = `FROM golang AS build
WORKDIR /src
RUN make
FROM scratch AS docs
COPY docs /docs
FROM debian
COPY --from=build /src/out /usr/bin/
COPY --from=1 /docs /docs
COPY --from=busybox /bin/sh /bin/sh
`;

  it('are those that the target needs, in the order of the file, with their names in the labels', () => {
    expect(planAll(TEXT).map(({ node }) => node.name)).toEqual(['build', 'docs', 'stage-2']);
    expect(planAll(TEXT, { target: 'docs' }).map(({ node }) => node.name)).toEqual(['docs']);
    expect(planAll(TEXT, { target: '0' })[0]?.baseLabel).toBe('[1/3] FROM docker.io/library/golang:latest');
    expect(planAll(TEXT)[0]?.steps.map(({ label }) => label)).toEqual([
      '[build 2/3] WORKDIR /src',
      '[build 3/3] RUN make',
    ]);
    expect(planAll(TEXT)[1]?.steps[0]?.label).toBe('[docs 1/1] COPY docs /docs');
  });

  it('know what they copy from', () => {
    const origins = planAll(TEXT)[2]!.steps.map((step) => (step.kind === 'copy' ? step.origin : undefined));
    expect(origins).toMatchObject([
      { kind: 'stage', stage: { name: 'build' } },
      { kind: 'stage', stage: { name: 'docs' } },
      { kind: 'image', reference: { path: 'library/busybox', tag: 'latest' } },
    ]);
  });

  it.each([
    ['FROM a AS one\nCOPY --from=one x x\n', 'does not stand above', 2, 13],
    ['FROM a AS one\nCOPY --from=two x x\nFROM a AS two\nFROM one\n', 'does not stand above', 2, 13],
    ['FROM a\nCOPY --from=0 x x\n', 'no stage of that number', 2, 13],
    ['ARG X\nFROM $X\n', 'is empty', 2, 6],
    ['FROM UPPER\n', 'must be lowercase', 1, 6],
    ['FROM --platform=a/b/c/d x\n', '--platform', 1, 17],
    ['FROM a\nEXPOSE http\n', 'port', 2, 8],
    ['FROM a\nSTOPSIGNAL NOPE\n', 'invalid signal "NOPE"', 2, 12],
    ['FROM a\nSTOPSIGNAL 0\n', 'invalid signal "0"', 2, 12],
    ['FROM a\nSTOPSIGNAL SIG\n', 'invalid signal "SIG"', 2, 12],
    ['FROM a\nARG s\nSTOPSIGNAL $s\n', 'invalid signal ""', 3, 12],
    ['FROM a\nSTOPSIGNAL 1.5\n', 'invalid signal "1.5"', 2, 12],
  ])('%j is refused with its place', (text, message, line, column) => {
    let caught: unknown;
    try {
      planAll(text);
    } catch (error) {
      caught = error;
    }
    expect(caught).toMatchObject({
      code: 'syntax',
      message: expect.stringContaining(message),
      location: { file: 'Dockerfile', line, column },
    });
  });

  it('a variable that is not set is warned of where it stands, once, save an ARG without a value', () => {
    const text = 'FROM a\nARG DECLARED\nENV VERSION=1\nCOPY a$DECLARED \\\n $VERSON/$VERSON /x\nRUN $SHELL\n';
    expect(plan(text).warnings).toEqual([
      {
        rule: 'UndefinedVar',
        message: "variable '$VERSON' is not set (did you mean $VERSION?)",
        range: { start: { line: 5, column: 2 }, end: { line: 5, column: 2 } },
      },
    ]);
    const base = { OnBuild: ['LABEL x=$NONE'] };
    expect(plan('# a comment\nFROM a\n', { base }).warnings).toMatchObject([
      { range: { start: { line: 2, column: 6 } } },
    ]);
  });

  it('RUN --security=insecure is told to be missing, with its place, and not run without', () => {
    const refused = (line: number, column: number) =>
      expect.objectContaining({ code: 'unsupported', location: { file: 'Dockerfile', line, column } });
    expect(() => plan('FROM a\nRUN --network=none --security=insecure x\n')).toThrow(refused(2, 20));
    const base = { OnBuild: ['RUN --security=insecure x'] };
    expect(() => plan('# a comment\nFROM a\n', { base })).toThrow(refused(2, 1));
    expect(plan('FROM a\nRUN --security=sandbox x\n').steps).toHaveLength(1);
  });

  it('a target that is not there is told with those that are', () => {
    expect(() => planAll(TEXT, { target: 'biuld' })).toThrow(
      expect.objectContaining({ code: 'invalid-argument', hint: expect.stringContaining('build, docs, 2') }),
    );
  });

  it('faults in stages that are not needed do not matter', () => {
    expect(planAll('FROM UPPER AS bad\nRUN x\nFROM scratch\n')).toHaveLength(1);
  });
});

describe('ONBUILD', () => {
  it('of a base image comes first, and is not handed on', () => {
    const base = { OnBuild: ['RUN trigger $V', 'ENV V=1'] };
    const stage = plan('FROM b\nRUN own\n', { base });
    expect(stage.steps.map(({ label }) => label)).toEqual(['[2/3] ONBUILD RUN trigger $V', '[3/3] RUN own']);
    expect(stage.result.config.OnBuild).toBeUndefined();
    expect(stage.steps[1]).toMatchObject({ env: [PATH, 'V=1'] });
  });

  it('of a stage reaches those who start from it', () => {
    const stage = plan('FROM b AS one\nONBUILD RUN x\nFROM one\n');
    expect(stage.steps.map(({ label }) => label)).toEqual(['[stage-1 1/1] ONBUILD RUN x']);
    expect(stage.result.config.OnBuild).toBeUndefined();
  });

  it('cannot copy from elsewhere yet, and says so', () => {
    const base = { OnBuild: ['COPY --from=x /a /a'] };
    expect(() => plan('FROM b\n', { base })).toThrow(expect.objectContaining({ code: 'unsupported' }));
  });
});

describe('STOPSIGNAL', () => {
  it.each(['SIGTERM', 'quit', 'SigHup', 'SIGRTMIN+3', 'RTMAX-1', 'SIGCLD', '9', '99', '-1', '007'])(
    'takes %s as BuildKit does, and keeps it as it is written',
    (signal) => {
      expect(config(`FROM a\nSTOPSIGNAL ${signal}\n`)).toMatchObject({ StopSignal: signal });
    },
  );

  it('is looked at in the stages that are built alone, with its variables replaced', () => {
    const text = 'FROM a AS one\nSTOPSIGNAL NOPE\nFROM a\nARG n=USR\nSTOPSIGNAL SIG${n}1\n';
    expect(config(text)).toMatchObject({ StopSignal: 'SIGUSR1' });
  });
});
