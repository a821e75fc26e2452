const SWARM = 'leave it out: ocits runs containers on this host alone';
const BUILDX = 'use ocits build, and ocits builder prune for its cache';
const TRUST = 'name images by their digest';
const MANIFEST = 'push the image of each platform under a tag of its own';

/** What stands below `ocits container`, and by itself. */
const CONTAINER_COMMANDS: Readonly<Record<string, string>> = {
  attach: 'follow what it prints with: ocits logs -f; or run something in it with: ocits exec -it',
  commit: 'write a Dockerfile, and build the image with: ocits build',
  cp: 'send a tar through: ocits exec -i CONTAINER tar -x; or mount a folder with --volume',
  diff: 'look at all of its files with: ocits export CONTAINER | tar -t',
  pause: 'stop it with: ocits stop; or send it a signal with: ocits kill --signal STOP',
  rename: 'make it anew with: ocits run --name',
  stats: 'look at its processes with: ocits top',
  unpause: 'start it with: ocits start; or send it a signal with: ocits kill --signal CONT',
  update: 'make it anew with other limits: ocits run --memory',
};

/**
 * Docker's commands that are not there yet, by `name` or `topic name`, with what to do instead. A topic alone stands
 * for all that could follow it.
 */
export const MISSING_COMMANDS: Readonly<Record<string, string>> = {
  ...CONTAINER_COMMANDS,
  ...Object.fromEntries(
    Object.entries(CONTAINER_COMMANDS).map(([name, hint]) => [`container ${name}`, hint]),
  ),
  buildx: BUILDX,
  checkpoint: 'stop the container with: ocits stop',
  compose: 'start each container with: ocits run --detach',
  config: SWARM,
  context: 'leave it out: ocits works on this host, without a daemon',
  events: 'wait for a container with: ocits wait; or list what is there with: ocits ps -a',
  'image search': 'look at the web pages of the registry',
  manifest: MANIFEST,
  'network connect': 'name the network when the container is made: ocits run --network',
  'network create': 'leave it out: all containers are on one bridge',
  'network disconnect': 'make the container anew with: ocits run --network none',
  'network rm': 'remove what no container uses with: ocits network prune',
  'network remove': 'remove what no container uses with: ocits network prune',
  node: SWARM,
  plugin: 'leave it out: there are no plugins',
  scout: 'save the image for a scanner with: ocits save',
  search: 'look at the web pages of the registry',
  secret: SWARM,
  service: SWARM,
  stack: SWARM,
  swarm: SWARM,
  'system events': 'wait for a container with: ocits wait; or list what is there with: ocits ps -a',
  trust: TRUST,
  'volume update': SWARM,
};
