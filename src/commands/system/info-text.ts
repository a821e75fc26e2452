import { binarySize } from '../../cli/output/human.ts';

/** The lines below `Server:`, in Docker's order and words, each with the field that it shows. */
const LINES: readonly (readonly [word: string, field: string])[] = [
  ['Containers', 'Containers'],
  [' Running', 'ContainersRunning'],
  [' Paused', 'ContainersPaused'],
  [' Stopped', 'ContainersStopped'],
  ['Images', 'Images'],
  ['Server Version', 'ServerVersion'],
  ['Storage Driver', 'Driver'],
  ['Logging Driver', 'LoggingDriver'],
  ['Cgroup Driver', 'CgroupDriver'],
  ['Cgroup Version', 'CgroupVersion'],
  ['Cgroup Layout', 'CgroupLayout'],
  ['Runtimes', 'DefaultRuntime'],
  ['Default Runtime', 'DefaultRuntime'],
  ['Runtime Version', 'RuntimeVersion'],
  ['Security Options', 'SecurityOptions'],
  ['Kernel Version', 'KernelVersion'],
  ['Operating System', 'OperatingSystem'],
  ['OSType', 'OSType'],
  ['Architecture', 'Architecture'],
  ['CPUs', 'NCPU'],
  ['Total Memory', 'MemTotal'],
  ['Name', 'Name'],
  ['Docker Root Dir', 'DockerRootDir'],
  ['Run Dir', 'OcitsRunDir'],
  ['Node Version', 'NodeVersion'],
];

/** What `info` prints for people: Docker's words, since scripts look for them. */
export function infoText(info: Readonly<Record<string, unknown>>): string {
  const client = info['ClientInfo'] as { readonly Version: string; readonly Context: string };
  const lines = LINES.flatMap(([word, field]) => shown(word, field, info[field] ?? 0));
  return [
    'Client:',
    ` Version:    ${client.Version}`,
    ` Context:    ${client.Context}`,
    '',
    'Server:',
    ...lines.map((line) => ` ${line}`),
  ].join('\n');
}

function shown(word: string, field: string, value: unknown): string[] {
  if (field === 'SecurityOptions') {
    const names = (value as readonly string[]).map((option) => option.replace(/^name=/, '').split(',')[0]!);
    return [`${word}:`, ...names.map((name) => ` ${name}`)];
  }
  return [`${word}: ${field === 'MemTotal' ? binarySize(value as number) : String(value)}`];
}
