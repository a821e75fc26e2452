import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';

/** A root filesystem with nothing but the host's static busybox. */
export function makeBusybox(folder: string): void {
  for (const name of ['bin', 'etc', 'root', 'var/www', 'home'])
    mkdirSync(join(folder, name), { recursive: true });
  mkdirSync(join(folder, 'tmp'));
  chmodSync(join(folder, 'tmp'), 0o1777);
  copyFileSync('/bin/busybox', join(folder, 'bin/busybox'));
  chmodSync(join(folder, 'bin/busybox'), 0o755);
  const applets = execFileSync('/bin/busybox', ['--list']).toString().split('\n');
  for (const applet of applets)
    if (applet !== '' && applet !== 'busybox') symlinkSync('busybox', join(folder, 'bin', applet));
  writeFileSync(
    join(folder, 'etc/passwd'),
    'root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33:www-data:/var/www:/bin/false\nnobody:x:65534:65534:nobody:/home:/bin/false\n',
  );
  writeFileSync(join(folder, 'etc/group'), 'root:x:0:\nwww-data:x:33:\nnogroup:x:65534:\n');
}

/** A minimal Debian of the host's own release, from the host's own sources. */
export function makeDebian(folder: string): void {
  const suite = /^VERSION_CODENAME=(.+)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'stable';
  const paths = [...globSync('/etc/apt/sources.list.d/*'), '/etc/apt/sources.list'].filter((path) =>
    existsSync(path),
  );
  const sources = paths.filter((path) =>
    new RegExp(`^(deb .*|Suites:.*) ${suite}( |$)`, 'm').test(readFileSync(path, 'utf8')),
  );
  const exclude = ['man', 'locale', 'doc'].map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`);
  const args = ['--mode=root', '--variant=minbase', '--quiet', ...exclude, suite, folder, ...sources];
  execFileSync('mmdebstrap', args, { stdio: ['ignore', 'ignore', 'inherit'] });
  rmSync(join(folder, 'var/cache/apt'), { recursive: true, force: true });
  rmSync(join(folder, 'var/lib/apt/lists'), { recursive: true, force: true });
  // Those that mmdebstrap ran with; a container has its own /dev.
  rmSync(join(folder, 'dev'), { recursive: true, force: true });
  mkdirSync(join(folder, 'dev'));
}

/** Above Debian: the host's CA certificates, where the host's own network needs them. */
export function makeCertificates(folder: string): void {
  const target = join(folder, CERTIFICATES);
  mkdirSync(dirname(target), { recursive: true });
  copyFileSync(CERTIFICATES, target);
}

/** Above Debian: the Node that the project's own scripts run on. */
export function makeNode(folder: string, nodeBinary: string): void {
  mkdirSync(join(folder, 'usr/local/bin'), { recursive: true });
  copyFileSync(nodeBinary, join(folder, 'usr/local/bin/node'));
  chmodSync(join(folder, 'usr/local/bin/node'), 0o755);
  symlinkSync('node', join(folder, 'usr/local/bin/nodejs'));
  const entrypoint =
    '#!/bin/sh\nset -e\nif [ "${1#-}" != "${1}" ] || [ -z "$(command -v "${1}")" ]; then\n  set -- node "$@"\nfi\nexec "$@"\n';
  writeFileSync(join(folder, 'usr/local/bin/docker-entrypoint.sh'), entrypoint, { mode: 0o755 });
}

/** Above that: npm, told of the certificates. */
export function makeNpm(folder: string, npmVersion: string): void {
  const work = `${folder}.npm`;
  mkdirSync(work, { recursive: true });
  const tarball = execFileSync('npm', ['pack', '--silent', `npm@${npmVersion}`], { cwd: work })
    .toString()
    .trim();
  execFileSync('tar', ['-xzf', tarball, '--no-same-owner'], { cwd: work });
  const target = join(folder, 'usr/local/lib/node_modules/npm');
  mkdirSync(dirname(target), { recursive: true });
  mkdirSync(join(folder, 'usr/local/bin'), { recursive: true });
  cpSync(join(work, 'package'), target, { recursive: true });
  rmSync(work, { recursive: true });
  for (const name of ['npm', 'npx'])
    symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(folder, 'usr/local/bin', name));
  mkdirSync(join(folder, 'usr/local/etc'), { recursive: true });
  writeFileSync(
    join(folder, 'usr/local/etc/npmrc'),
    `cafile=${CERTIFICATES}\nupdate-notifier=false\nfund=false\naudit=false\n`,
  );
}

/** Takes a half-made folder away and makes it anew, so that it is there only when complete. */
export function makeOnce(folder: string, make: (temporary: string) => void): void {
  if (existsSync(folder)) return;
  const temporary = `${folder}.tmp`;
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(temporary, { recursive: true, mode: 0o755 });
  make(temporary);
  renameSync(temporary, folder);
}
