type Hints = Readonly<Record<string, string>>;

const SWARM = 'leave it out: ocits runs containers on this host alone';
const TRUST = 'name images by their digest';
const PLUGIN = 'leave it out: there are no plugins';
const CONTEXT = 'leave it out: ocits works on this host, without a daemon';
const CHECKPOINT = 'stop the container with: ocits stop';
const WEB_SEARCH = 'look at the web pages of the registry';
const ANOTHER_TOOL = "leave it out, or use Docker's own program for it";
const EVENTS = 'wait for a container with: ocits wait; or list what is there with: ocits ps -a';
const ONE_BUILDER = 'leave it out: there is one builder, ocits build';
const PUSH_EACH = 'push the image of each platform under a tag of its own';
const COPY = 'copy an image with all its platforms from registry to registry with: ocits copy';
const BUILD_EACH = 'build each image with: ocits build';
const RUN_EACH = 'start each container with: ocits run --detach';

/** What stands below `ocits container`, and by itself. */
const CONTAINER_COMMANDS: Hints = {
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

/** What stands below `buildx`, and below `builder`, which is its other name since Docker 23. */
const BUILDX_COMMANDS: Hints = {
  bake: BUILD_EACH,
  create: ONE_BUILDER,
  dap: ONE_BUILDER,
  debug: 'look at each step with: ocits build --progress plain',
  'dial-stdio': ONE_BUILDER,
  du: 'look at what is used with: ocits system df',
  history: 'look at the layers of an image with: ocits history',
  imagetools: COPY,
  inspect: ONE_BUILDER,
  install: ONE_BUILDER,
  ls: ONE_BUILDER,
  rm: ONE_BUILDER,
  stop: ONE_BUILDER,
  uninstall: ONE_BUILDER,
  use: ONE_BUILDER,
  version: 'use: ocits version',
};

const COMPOSE_COMMANDS: Hints = {
  alpha: ANOTHER_TOOL,
  attach: 'follow what a container prints with: ocits logs -f',
  bridge: ANOTHER_TOOL,
  build: BUILD_EACH,
  commit: 'write a Dockerfile, and build the image with: ocits build',
  config: 'read the file itself',
  convert: 'read the file itself',
  cp: 'mount a folder with: ocits run --volume',
  create: 'make each container with: ocits create',
  down: 'remove the containers with: ocits rm --force',
  events: EVENTS,
  exec: 'use: ocits exec CONTAINER COMMAND',
  export: 'use: ocits export CONTAINER',
  images: 'list the images with: ocits images',
  kill: 'use: ocits kill CONTAINER',
  logs: 'look at each container with: ocits logs',
  ls: 'list the containers with: ocits ps -a',
  pause: 'stop the containers with: ocits stop',
  port: 'use: ocits port CONTAINER',
  ps: 'list the containers with: ocits ps -a',
  publish: 'push each image with: ocits push',
  pull: 'pull each image with: ocits pull',
  push: 'push each image with: ocits push',
  restart: 'use: ocits restart CONTAINER',
  rm: 'use: ocits rm CONTAINER',
  run: 'use: ocits run IMAGE COMMAND',
  scale: RUN_EACH,
  start: 'use: ocits start CONTAINER',
  stats: 'look at the processes of a container with: ocits top',
  stop: 'use: ocits stop CONTAINER',
  top: 'use: ocits top CONTAINER',
  unpause: 'start the containers with: ocits start',
  up: RUN_EACH,
  version: 'use: ocits version',
  volumes: 'list the volumes with: ocits volume ls',
  wait: 'use: ocits wait CONTAINER',
  watch: 'mount the folder with: ocits run --volume',
};

/** Topics of which there is nothing yet, with all that Docker has below them. What is not listed has the topic's hint. */
const MISSING_TOPICS: Readonly<Record<string, readonly [hint: string, commands: Hints | readonly string[]]>> =
  {
    buildx: [
      'use ocits build, and ocits builder prune for its cache',
      {
        ...BUILDX_COMMANDS,
        b: 'use: ocits build',
        build: 'use: ocits build',
        prune: 'use: ocits builder prune',
      },
    ],
    checkpoint: [CHECKPOINT, ['create', 'ls', 'rm']],
    compose: [RUN_EACH, COMPOSE_COMMANDS],
    config: [SWARM, ['create', 'inspect', 'ls', 'rm']],
    context: [CONTEXT, ['create', 'export', 'import', 'inspect', 'ls', 'rm', 'show', 'update', 'use']],
    manifest: [
      PUSH_EACH,
      {
        annotate: PUSH_EACH,
        create: PUSH_EACH,
        inspect: COPY,
        push: PUSH_EACH,
        rm: 'remove the image with: ocits rmi',
      },
    ],
    node: [SWARM, ['demote', 'inspect', 'ls', 'promote', 'ps', 'rm', 'update']],
    plugin: [
      PLUGIN,
      ['create', 'disable', 'enable', 'inspect', 'install', 'ls', 'push', 'rm', 'set', 'upgrade'],
    ],
    secret: [SWARM, ['create', 'inspect', 'ls', 'rm']],
    service: [SWARM, ['create', 'inspect', 'logs', 'ls', 'ps', 'rm', 'rollback', 'scale', 'update']],
    stack: [SWARM, ['config', 'deploy', 'ls', 'ps', 'rm', 'services']],
    swarm: [SWARM, ['ca', 'init', 'join', 'join-token', 'leave', 'unlock', 'unlock-key', 'update']],
    trust: [TRUST, ['inspect', 'key', 'revoke', 'sign', 'signer']],
  };

/** Plugins that Docker's packages and its desktop bring along. */
const PLUGINS: Hints = {
  ai: ANOTHER_TOOL,
  cloud: ANOTHER_TOOL,
  debug: 'run something in the container with: ocits exec -it',
  desktop: ANOTHER_TOOL,
  dev: ANOTHER_TOOL,
  extension: PLUGIN,
  init: 'write a Dockerfile, and build the image with: ocits build',
  mcp: ANOTHER_TOOL,
  model: ANOTHER_TOOL,
  offload: ANOTHER_TOOL,
  pass: ANOTHER_TOOL,
  sandbox: 'run it in a container with: ocits run',
  sbom: 'save the image for a scanner with: ocits save',
  scout: 'save the image for a scanner with: ocits save',
};

/**
 * Docker's commands that are not there yet, by `name` or `topic name`, with what to do instead. A topic alone stands
 * for all that could follow it.
 */
export const MISSING_COMMANDS: Hints = {
  ...CONTAINER_COMMANDS,
  ...below('container', CONTAINER_COMMANDS),
  ...below('builder', BUILDX_COMMANDS),
  ...PLUGINS,
  ...Object.fromEntries(Object.entries(MISSING_TOPICS).flatMap(topicEntries)),
  bake: BUILD_EACH,
  events: EVENTS,
  'image search': WEB_SEARCH,
  'network connect': 'name the network when the container is made: ocits run --network',
  'network create': 'leave it out: all containers are on one bridge',
  'network disconnect': 'make the container anew with: ocits run --network none',
  'network rm': 'remove what no container uses with: ocits network prune',
  'network remove': 'remove what no container uses with: ocits network prune',
  search: WEB_SEARCH,
  'system dial-stdio': CONTEXT,
  'system events': EVENTS,
  'volume update': SWARM,
};

const NO_DAEMON = 'leave it out: there is no daemon to reach';

/** Docker's flags in front of the command that are not there yet, with what to do instead. */
export const MISSING_GLOBAL_FLAGS: Hints = {
  '--config': 'name the folder with DOCKER_CONFIG=FOLDER',
  '--context': NO_DAEMON,
  '-c': NO_DAEMON,
  '--host': NO_DAEMON,
  '-H': NO_DAEMON,
  '--log-level': 'leave it out; --debug tells more',
  '-l': 'leave it out; --debug tells more',
  '--tls': NO_DAEMON,
  '--tlscacert': NO_DAEMON,
  '--tlscert': NO_DAEMON,
  '--tlskey': NO_DAEMON,
  '--tlsverify': NO_DAEMON,
};

function below(topic: string, hints: Hints): Hints {
  return Object.fromEntries(Object.entries(hints).map(([name, hint]) => [`${topic} ${name}`, hint]));
}

function topicEntries([topic, [hint, commands]]: [string, (typeof MISSING_TOPICS)[string]]): [
  string,
  string,
][] {
  const hints = Array.isArray(commands)
    ? Object.fromEntries((commands as readonly string[]).map((name) => [name, hint]))
    : (commands as Hints);
  return [[topic, hint], ...Object.entries(below(topic, hints))];
}
