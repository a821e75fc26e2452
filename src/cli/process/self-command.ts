import type { HostPaths } from '../../system/paths.ts';

/**
 * The command, absolute program first, that runs `ocits container cleanup ID` on the same store, without our
 * environment. `script`: the file that is ocits.
 */
export function cleanupCommand(
  paths: HostPaths,
  script: string = process.argv[1]!,
): (id: string) => readonly string[] {
  return (id) => [
    ...['/usr/bin/env', `OCITS_ROOT=${paths.root}`, `OCITS_RUN=${paths.run}`],
    ...[process.execPath, script, 'container', 'cleanup', id],
  ];
}
