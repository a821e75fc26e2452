import { ownUid } from '../../access.ts';

const KEPT: readonly string[] = ['HOME', 'OCITS_ROOT', 'OCITS_RUN'];
/**
 * What a user's own tools need. With these, a crun that runs as root would ask the systemd of root's login instead of
 * the host's, and the container would end with the login.
 */
const KEPT_FOR_USER: readonly string[] = [
  'XDG_RUNTIME_DIR',
  'XDG_DATA_HOME',
  'XDG_CONFIG_HOME',
  'DBUS_SESSION_BUS_ADDRESS',
];

/**
 * The environment for crun, conmon and what they start, the exit command among it. Most of ours is left out:
 * `LISTEN_FDS` would make crun hand descriptors on to the container, `NOTIFY_SOCKET` would make it wait. Messages are
 * read by us, so they are English.
 */
export function toolEnvironment(
  env: NodeJS.ProcessEnv = process.env,
  uid: number = ownUid() ?? 0,
): NodeJS.ProcessEnv {
  const names = uid === 0 ? KEPT : [...KEPT, ...KEPT_FOR_USER];
  const kept = names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]]));
  const path = [env['PATH'], '/usr/sbin:/usr/bin:/sbin:/bin'].filter(Boolean).join(':');
  return { ...Object.fromEntries(kept), PATH: path, LC_ALL: 'C' };
}
