const KEPT = [
  'HOME',
  'XDG_RUNTIME_DIR',
  'XDG_DATA_HOME',
  'XDG_CONFIG_HOME',
  'DBUS_SESSION_BUS_ADDRESS',
  'OCITS_ROOT',
  'OCITS_RUN',
];

/**
 * The environment for crun, conmon and what they start, the exit command among it. Not all of ours: `LISTEN_FDS` would make crun hand descriptors on to
 * the container, `NOTIFY_SOCKET` would make it wait; messages are read by us, so they are English.
 */
export function toolEnvironment(env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const kept = KEPT.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]]));
  const path = [env['PATH'], '/usr/sbin:/usr/bin:/sbin:/bin'].filter(Boolean).join(':');
  return { ...Object.fromEntries(kept), PATH: path, LC_ALL: 'C' };
}
