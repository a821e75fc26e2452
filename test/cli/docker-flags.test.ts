import { expect, test } from 'vitest';
import type { FlagShape } from '../../src/cli/argv/docker-args.ts';
import { COMMANDS } from '../../src/command-table.ts';

/**
 * The flags of Docker's everyday commands by its reference, those that it hides among them: with `x|` before the name
 * for the letter, `=` behind it for a value, `*` for a value that may be given many times.
 */
const DOCKER: Readonly<Record<string, string>> = {
  build: `add-host* allow* annotation* attest* build-arg* build-context* builder= cache-from* cache-to* call= cgroup-parent= check compress cpu-period= cpu-quota= c|cpu-shares= cpuset-cpus= cpuset-mems= disable-content-trust
    f|file= force-rm iidfile= isolation= label* load m|memory= memory-swap= metadata-file= network= no-cache no-cache-filter* o|output* platform* policy= progress= provenance= pull push q|quiet rm sbom= secret* security-opt* shm-size= squash ssh* t|tag* target= ulimit*`,
  'container prune': `filter* f|force`,
  create: `add-host* annotation* a|attach* blkio-weight= blkio-weight-device* cap-add* cap-drop* cgroup-parent= cgroupns=
    cidfile= cpu-count= cpu-percent= cpu-period= cpu-quota= cpu-rt-period= cpu-rt-runtime= c|cpu-shares= cpus=
    cpuset-cpus= cpuset-mems= device* device-cgroup-rule* device-read-bps* device-read-iops* device-write-bps*
    device-write-iops* disable-content-trust dns* dns-option* dns-search* domainname= entrypoint= e|env* env-file*
    expose* gpus* group-add* health-cmd= health-interval= health-retries= health-start-interval= health-start-period= health-timeout= h|hostname= init i|interactive io-maxbandwidth= io-maxiops= ip= ip6= ipc= isolation=
    kernel-memory= l|label* label-file* link* link-local-ip* log-driver= log-opt* mac-address= m|memory= memory-reservation= memory-swap= memory-swappiness= mount* name= network= network-alias* no-healthcheck oom-kill-disable oom-score-adj= pid= pids-limit= platform= privileged p|publish* P|publish-all pull= q|quiet read-only
    restart= rm runtime= security-opt* shm-size= stop-signal= stop-timeout= storage-opt* sysctl* tmpfs* t|tty
    ulimit* use-api-socket u|user= userns= uts= v|volume* volume-driver= volumes-from* w|workdir= net= net-alias*
    dns-opt*`,
  exec: `d|detach detach-keys= e|env* env-file* i|interactive privileged t|tty u|user= w|workdir=`,
  export: `o|output=`,
  history: `format= H|human no-trunc platform= q|quiet`,
  'image prune': `a|all filter* f|force`,
  images: `a|all digests f|filter* format= no-trunc q|quiet`,
  import: `c|change* m|message= platform=`,
  inspect: `f|format= s|size type=`,
  kill: `s|signal=`,
  load: `i|input= platform= q|quiet`,
  login: `p|password= password-stdin u|username=`,
  logs: `details f|follow since= n|tail= t|timestamps until=`,
  'network inspect': `f|format= v|verbose`,
  ps: `a|all f|filter* format= n|last= l|latest no-trunc q|quiet s|size`,
  pull: `a|all-tags disable-content-trust platform= q|quiet`,
  push: `a|all-tags disable-content-trust platform= q|quiet`,
  restart: `s|signal= t|timeout= time=`,
  rm: `f|force l|link v|volumes`,
  rmi: `f|force no-prune platform*`,
  run: `add-host* annotation* a|attach* blkio-weight= blkio-weight-device* cap-add* cap-drop* cgroup-parent= cgroupns=
    cidfile= cpu-count= cpu-percent= cpu-period= cpu-quota= cpu-rt-period= cpu-rt-runtime= c|cpu-shares= cpus=
    cpuset-cpus= cpuset-mems= d|detach detach-keys= device* device-cgroup-rule* device-read-bps* device-read-iops*
    device-write-bps* device-write-iops* disable-content-trust dns* dns-option* dns-search* domainname=
    entrypoint= e|env* env-file* expose* gpus* group-add* health-cmd= health-interval= health-retries= health-start-interval= health-start-period= health-timeout= h|hostname= init i|interactive io-maxbandwidth= io-maxiops= ip= ip6= ipc= isolation= kernel-memory= l|label* label-file* link* link-local-ip* log-driver= log-opt* mac-address= m|memory= memory-reservation= memory-swap= memory-swappiness= mount* name= network= network-alias* no-healthcheck oom-kill-disable oom-score-adj= pid= pids-limit= platform= privileged p|publish*
    P|publish-all pull= q|quiet read-only restart= rm runtime= security-opt* shm-size= sig-proxy stop-signal=
    stop-timeout= storage-opt* sysctl* tmpfs* t|tty ulimit* use-api-socket u|user= userns= uts= v|volume* volume-driver= volumes-from* w|workdir= net= net-alias* dns-opt*`,
  save: `o|output= platform=`,
  start: `a|attach checkpoint= checkpoint-dir= detach-keys= i|interactive`,
  stop: `s|signal= t|timeout= time=`,
  'system df': `format= v|verbose`,
  'system info': `f|format=`,
  'system prune': `a|all filter* f|force volumes`,
  version: `f|format=`,
  'volume create': `availability= d|driver= group= label* limit-bytes= o|opt* required-bytes= scope= secret* sharing= topology-preferred* topology-required* type= name=`,
  'volume inspect': `f|format=`,
  'volume ls': `cluster f|filter* format= q|quiet`,
  'volume prune': `a|all filter* f|force`,
  'volume rm': `f|force`,
};

const WORD = /^(?:(\w)\|)?([a-z0-9-]+)([=*]?)$/;

test.each(Object.entries(DOCKER))(
  'every flag of %s is there as Docker has it, or refused by name',
  async (name, text) => {
    const id = name.replace(' ', ':');
    const { flags = {} } = (await COMMANDS[id]!()).default as { flags?: Record<string, FlagShape> };
    const all = Object.entries(flags).map(([flagName, flag]) => ({ ...flag, name: flagName }));
    const wrong = text.split(/\s+/).filter((word) => {
      const [, char, flagName = '', form] = WORD.exec(word) ?? [];
      const flag = all.find((each) => each.name === flagName || each.aliases?.includes(flagName));
      if (flag === undefined || (char !== undefined && flag.char !== char)) return true;
      if ((flag.type === 'boolean') !== (form === '')) return true;
      // What is refused anyway, or says itself that it is taken once, may have one value.
      return form === '*' && flag.multiple !== true && (flag.missing ?? flag.onlyOnce) === undefined;
    });
    expect(wrong).toEqual([]);
  },
);
