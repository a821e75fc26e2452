/** The main job, step by step with its time: pull, build, run, fetch, push, pull back by digest. `npm run demo` */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { baseImages } from './images/base-images.ts';
import { seedRegistry } from './images/seed-registry.ts';
import { mirrorConfig, startLoopbackRegistry } from './loopback-registry.ts';

const root = join(import.meta.dirname, '..');
const work = mkdtempSync(join(tmpdir(), 'ocits-demo-'));
const container = 'ocits-demo';
const env: NodeJS.ProcessEnv = {
  ...process.env,
  OCITS_ROOT: join(work, 'root'),
  OCITS_RUN: join(work, 'run'),
  CONTAINERS_REGISTRIES_CONF: join(work, 'registries.conf'),
};

try {
  await demo();
} finally {
  spawnSync(process.execPath, [join(root, 'bin/ocits.js'), 'rm', '-f', container], { env, stdio: 'ignore' });
  rmSync(work, { recursive: true, force: true });
}

async function demo(): Promise<void> {
  await step('build ocits', () =>
    execFileSync(process.execPath, [join(root, 'scripts/build.ts')], { stdio: 'inherit' }),
  );
  const layouts = await step('make the base images (kept for the next time)', () => baseImages(['node']));
  await using registry = await step('start a registry on a loopback port', () =>
    startLoopbackRegistry(join(work, 'registry')),
  );
  await step('fill it', () =>
    seedRegistry(`http://${registry.host}`, layouts.node, 'library/node', 'latest'),
  );
  writeFileSync(join(work, 'registries.conf'), mirrorConfig(registry.host));
  const context = join(work, 'context');
  cpSync(join(root, 'testdata/demo'), context, { recursive: true });

  await ocits('pull', 'node');
  await ocits('build', '-t', 'hello', ...networkFlags(), context);
  await ocits('build', '-t', 'hello', ...networkFlags(), context);
  await ocits('run', '-d', '--name', container, '-p', '127.0.0.1:0:3000', 'hello');
  const [address = ''] = ocitsOutput('port', container, '3000').split('\n');
  const page = await step(`fetch http://${address}/`, () => fetchPage(`http://${address}/`));
  console.log(page.trim());
  await ocits('logs', container);
  await ocits('exec', container, 'node', '--version');
  await ocits('stop', container);
  await ocits('tag', 'hello', 'registry.example/me/hello:1');
  const digest = /digest: (sha256:[0-9a-f]{64})/.exec(
    await ocits('push', 'registry.example/me/hello:1'),
  )?.[1];
  if (digest === undefined) throw new Error('push printed no digest');
  await ocits('rm', container);
  await ocits('rmi', 'hello', 'registry.example/me/hello:1');
  await ocits('pull', `registry.example/me/hello@${digest}`);
  await ocits(
    'run',
    '--rm',
    `registry.example/me/hello@${digest}`,
    'node',
    '-p',
    '"hello again, from the pulled image"',
  );
}

/** Where the network of a bridge does not reach the package registry, the host's does. */
function networkFlags(): readonly string[] {
  return process.env['OCITS_DEMO_NETWORK'] === undefined
    ? []
    : ['--network', process.env['OCITS_DEMO_NETWORK']];
}

async function ocits(...args: string[]): Promise<string> {
  const words = args.map((word) => (word.startsWith(work) ? '.' : word)).join(' ');
  return await step(`ocits ${words}`, () => {
    const result = spawnSync(process.execPath, [join(root, 'bin/ocits.js'), ...args], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    process.stdout.write(result.stdout);
    if (result.status !== 0) throw new Error(`ocits ${args[0]} exited with ${result.status}`);
    return result.stdout.toString();
  });
}

function ocitsOutput(...args: string[]): string {
  return execFileSync(process.execPath, [join(root, 'bin/ocits.js'), ...args], { env }).toString();
}

async function fetchPage(url: string): Promise<string> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    try {
      return await (await fetch(url)).text();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function step<T>(title: string, work: () => T | Promise<T>): Promise<T> {
  console.log(`\n\x1b[1m=== ${title}\x1b[0m`);
  const started = performance.now();
  const result = await work();
  console.log(`    ${((performance.now() - started) / 1000).toFixed(2)} s`);
  return result;
}
