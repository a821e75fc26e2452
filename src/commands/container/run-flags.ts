import { choice, contentTrustFlag, text, toggle, value } from '../../cli/argv/flags.ts';
import { signalName } from '../../container/flags/create-kinds.ts';
import { integer } from '../../options/kinds.ts';
import { PULL_POLICIES } from '../../options/pull-policy.ts';

/** The flags of `create` and `run` that are about the command itself. */
export const pullFlags = {
  pull: choice({ description: 'pull the image before', options: PULL_POLICIES }),
  quiet: toggle({ char: 'q', description: 'print no progress of a pull' }),
  cidfile: text({ names: ['files'], description: "write the container's ID to a file" }),
  'disable-content-trust': contentTrustFlag,
  // Health checks are not there yet, so that this is what happens.
  'no-healthcheck': toggle({ description: 'do without the health check of the image', hidden: true }),
};

/** The flags of `stop` and `restart`. */
export const stopFlags = {
  timeout: value(integer, {
    char: 't',
    description: 'seconds until it is killed; -1 waits for ever',
    aliases: ['time'],
  }),
  signal: value(signalName, {
    char: 's',
    description: "signal to send instead of the container's own",
  }),
};
