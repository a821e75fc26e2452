import type { Agent } from 'node:http';
import type { ConfigFolders } from '../config/config-folders.ts';
import { isLoopback } from '../config/endpoints.ts';
import { readTlsFiles } from '../config/tls-files.ts';

export interface AgentRequest {
  readonly url: URL;
  /** Certificates are not verified. */
  readonly insecure: boolean;
  /** The authorities that the system trusts count, too, beside those that Node brings. */
  readonly systemAuthorities: boolean;
}

/** Connections that are kept open, one pool for each way to connect. Proxies are those of the environment. */
export class Agents implements Disposable {
  readonly #folders: ConfigFolders;
  readonly #agents = new Map<string, Promise<Agent>>();

  constructor(folders: ConfigFolders) {
    this.#folders = folders;
  }

  /** The pool for `request`. */
  get(request: AgentRequest): Promise<Agent> {
    const { url, insecure, systemAuthorities } = request;
    const key =
      url.protocol === 'http:'
        ? url.origin
        : `${url.origin} ${insecure ? 'insecure' : ''} ${systemAuthorities}`;
    let agent = this.#agents.get(key);
    if (agent === undefined) {
      agent = this.#make(request);
      this.#agents.set(key, agent);
    }
    return agent;
  }

  /** Closes all connections. */
  [Symbol.dispose](): void {
    for (const agent of this.#agents.values()) agent.then((made) => made.destroy()).catch(() => {});
    this.#agents.clear();
  }

  async #make(request: AgentRequest): Promise<Agent> {
    const proxy = await proxyFor(request.url);
    const keep = { keepAlive: true, maxSockets: 16 };
    if (request.url.protocol === 'http:') {
      if (proxy === '') return new (builtin('node:http').Agent)(keep);
      return new (await import('http-proxy-agent')).HttpProxyAgent(proxy, keep);
    }
    const tls = await this.#tls(request);
    if (proxy === '') return new (builtin('node:https').Agent)({ ...keep, ...tls });
    const agent = new (await import('https-proxy-agent')).HttpsProxyAgent(proxy, keep);
    // What its constructor takes is for the connection to the proxy; this is for the registry behind it.
    Object.assign(agent.options, tls);
    return agent;
  }

  async #tls({ url, insecure, systemAuthorities }: AgentRequest): Promise<object> {
    const files = readTlsFiles(url.host, this.#folders);
    const client = files.client ?? {};
    if (insecure) return { rejectUnauthorized: false, ...client };
    if (files.authorities.length === 0 && !systemAuthorities) return client;
    const { getCACertificates } = await import('node:tls');
    const known = getCACertificates('default');
    const system = systemAuthorities ? getCACertificates('system') : [];
    return { ca: [...files.authorities, ...known, ...system], ...client };
  }
}

/** An import would read all exports of node:http, one of which loads Node's own fetch: 30 ms. */
const builtin = process.getBuiltinModule;

async function proxyFor(url: URL): Promise<string> {
  const names = ['http_proxy', 'https_proxy', 'all_proxy'];
  const anyProxy = names.some((name) => process.env[name] || process.env[name.toUpperCase()]);
  // No proxy is asked for what is on this machine, as in Docker and Go.
  if (!anyProxy || isLoopback(url.host)) return '';
  const { getProxyForUrl } = await import('proxy-from-env');
  return getProxyForUrl(url.href);
}
