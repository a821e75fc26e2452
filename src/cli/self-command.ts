import type { HostPaths } from '../system/paths.ts';

/** The command, absolute program first, that runs `ocits container cleanup ID` on the same store, without our environment. */
export function cleanupCommand(paths: HostPaths): (id: string) => readonly string[] {
  const script = process.argv[1]!;
  return (id) => [
    ...['/usr/bin/env', `OCITS_ROOT=${paths.root}`, `OCITS_RUN=${paths.run}`],
    ...[process.execPath, script, 'container', 'cleanup', id],
  ];
}
